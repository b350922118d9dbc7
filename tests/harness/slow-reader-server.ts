/**
 * A server whose one path is a stream that never ends and writes as fast as it may: for a client that does not read.
 * `/readyz` says that it is up, `/counts` what became of the streams. `BACKLOG_MAX=none` plants the bug: no bound.
 */
import { SystemClock } from "../../src/adapters/system/system-clock.ts";
import { SystemEntropy } from "../../src/adapters/system/system-entropy.ts";
import { SystemTasks } from "../../src/adapters/system/system-tasks.ts";
import type { Fetch } from "../../src/http/app.ts";
import { Streams } from "../../src/http/sse/streams.ts";

const frame = new TextEncoder().encode(`event: stock\ndata: ${"x".repeat(16 * 1024)}\n\n`);
const everyMs = 2;

const deps = { clock: new SystemClock(), tasks: new SystemTasks(), entropy: new SystemEntropy() };
const backlogMax = process.env["BACKLOG_MAX"] === "none" ? Number.POSITIVE_INFINITY : undefined;
const streams = new Streams(deps, { streamsMax: 10, backlogMax });
const counts = { sent: 0, backlogMax: 0, ended: 0 };

const site: Fetch = (request, peer) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/readyz") return new Response("ready");
  if (pathname === "/counts")
    return Response.json({ ...counts, open: streams.size, lagged: streams.counts.lagged, rss: process.memoryUsage().rss });
  const opening = streams.open({ client: "one", socket: peer.stream, signal: request.signal, onEnd: () => void (counts.ended += 1) });
  if (opening.kind === "full") return new Response("full", { status: 429 });
  const { stream } = opening;
  const timer = setInterval(() => {
    if (!stream.isOpen) return clearInterval(timer);
    streams.tell(stream, frame);
    counts.sent += frame.length;
    counts.backlogMax = Math.max(counts.backlogMax, stream.backlogBytes);
  }, everyMs);
  return new Response(stream.body, { headers: { "content-type": "text/event-stream" } });
};

const { listen } =
  process.versions["bun"] === undefined ? await import("../../src/http/listen-node.ts") : await import("../../src/http/listen-bun.ts");
const { url, stop } = await listen({ fetch: site }, { host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ msg: "listening", url })}\n`);
process.once("SIGTERM", () => void stop(0).then(() => process.exit(0)));
