import { afterEach, expect, test } from "bun:test";
import { ManualTime } from "../../../tests/kit/manual-time.ts";
import { callbackPoster } from "./callback-poster.ts";
import { WebhookVerifier } from "./webhook-signature.ts";

const secret = new Uint8Array(32).fill(7);
const nowMs = 1_800_000_000_000;
const clock = new ManualTime(nowMs);
const callback = { id: "cb_1", body: '{"type":"payment.captured","data":{"name":"é"}}' };
let server: ReturnType<typeof Bun.serve> | undefined;
afterEach(async () => {
  await server?.stop(true);
});

/** A shop on a real socket. */
function shop(answer: (request: Request) => Response | Promise<Response>) {
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const { url } = server;
  return callbackPoster({ url: () => new URL("/callback", url).href, secrets: [secret], clock, timeoutMs: 300 });
}

test("[PA13] posts exactly the bytes it signed", async () => {
  const verdicts: string[] = [];
  const post = shop(async (request) => {
    const [id, timestamp, signature] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => request.headers.get(name));
    const message = { id: id ?? null, timestamp: timestamp ?? null, signature: signature ?? null, body: await request.bytes() };
    verdicts.push(
      `${request.method} ${new WebhookVerifier([secret]).verify(message, nowMs).kind} ${new TextDecoder().decode(message.body)}`,
    );
    return Response.json({ code: 0 });
  });
  expect(await post(callback)).toBe(true);
  expect(verdicts).toEqual([`POST verified ${callback.body}`]);
});

for (const status of [200, 201, 204])
  test(`${status} acknowledges`, async () => expect(await shop(() => new Response(null, { status }))(callback)).toBe(true));
for (const status of [301, 400, 401, 404, 500, 503])
  test(`${status} does not acknowledge`, async () =>
    expect(await shop(() => new Response(null, { status, headers: { location: "/elsewhere" } }))(callback)).toBe(false));

test("a shop that does not answer in time, or is not there, has not acknowledged", async () => {
  const post = shop(() => new Promise<Response>(() => {}));
  expect(await post(callback)).toBe(false);
  await server?.stop(true);
  expect(await post(callback)).toBe(false);
});
