/**
 * The floor that the figures are ratios of: a bare Bun.serve that parses the same JSON and answers the same bytes with
 * the same headers as a refused purchase, and does nothing else. Started by bench/main.ts with what to answer.
 */
const [port, status, body, headersJson] = process.argv.slice(2);
// The parent process passes the headers of a real answer as a JSON object.
const headers = JSON.parse(headersJson ?? "{}") as Record<string, string>;
const init = { status: Number(status), headers };

Bun.serve({
  port: Number(port),
  hostname: "127.0.0.1",
  async fetch(request) {
    const parsed: unknown = await request.json();
    return new Response(parsed === null ? "" : body, init);
  },
});
