import { expect, test } from "bun:test";
import type { LoadClient, LoadReply, LoadRequest } from "../../ports/load-client.ts";
import { Fence } from "./fence.ts";
import { Halt } from "./halt.ts";

const answer = (status: number, data: unknown, replayed = false): LoadReply => ({
  kind: "answer",
  status,
  body: JSON.stringify({ code: 0, message: "OK", data }),
  replayed,
  requestId: undefined,
  latencyMs: 1,
});
const post = (path: string, body: unknown = {}): LoadRequest => ({ method: "POST", path, headers: {}, body: JSON.stringify(body) });

/** A shop that answers as told; whatever reaches it is noted. */
function rig(replies: Record<string, LoadReply> = {}) {
  const reached: string[] = [];
  const usual: Record<string, LoadReply> = {
    "POST /api/v1/products": answer(201, { id: "10" }),
    "POST /api/v1/sales": answer(201, { id: "20", product_id: "10" }),
    "POST /api/v1/sales/20/purchases": answer(201, { id: "30", sale_id: "20" }),
    "POST /api/v1/orders/30/payments": answer(201, { id: "40", provider: "simulated" }),
    ...replies,
  };
  const load: LoadClient = {
    send: async ({ method, path }) => {
      reached.push(`${method} ${path}`);
      return usual[`${method} ${path}`] ?? answer(200, {});
    },
  };
  const halt = new Halt();
  const fence = new Fence(load, halt);
  const open = async () => {
    await fence.send(post("/api/v1/products"));
    await fence.send(post("/api/v1/sales", { product_id: "10" }));
    await fence.send(post("/api/v1/sales/20/publish"));
    await fence.send(post("/api/v1/sales/20/purchases"));
  };
  return { fence, halt, reached, open };
}

test("[J4] a rehearsal's own sale and orders pass, and whatever only reads", async () => {
  const { fence, halt, reached, open } = rig();
  await open();
  await fence.send(post("/api/v1/orders/30/payments"));
  await fence.send(post("/api/v1/orders/30/cancel"));
  await fence.send(post("/api/v1/sales/20/cancel"));
  await fence.send({ method: "GET", path: "/api/v1/sales/1", headers: {} });
  expect(halt.reason).toBeUndefined();
  expect(reached.length).toBe(8);
  expect(fence.saleId).toBe("20");
});

/** Requests that a mistake above could send; none may reach the shop. */
const foreign: [string, LoadRequest][] = [
  ["buying in a real sale", post("/api/v1/sales/1/purchases")],
  ["cancelling a real sale", post("/api/v1/sales/1/cancel")],
  ["publishing a real sale", post("/api/v1/sales/1/publish")],
  ["pausing any sale", post("/api/v1/sales/20/pause")],
  ["a sale whose id begins like ours", post("/api/v1/sales/200/purchases")],
  ["a path around the id", post("/api/v1/sales/20/../1/purchases")],
  ["an encoded path", post("/api/v1/sales/20%2F..%2F1/purchases")],
  ["a second sale", post("/api/v1/sales", { product_id: "10" })],
  ["a second product", post("/api/v1/products")],
  ["paying a real order", post("/api/v1/orders/1/payments")],
  ["cancelling a real order", post("/api/v1/orders/1/cancel")],
  ["entering money that nobody has", post("/api/v1/orders/30/payments", { provider: "external", capture_id: "c" })],
  ["refunding any order", post("/api/v1/orders/30/refunds")],
  ["a quota", { method: "PUT", path: "/api/v1/products/1/quotas/ann", headers: {}, body: "{}" }],
  ["deleting anything", { method: "DELETE", path: "/api/v1/products/10", headers: {} }],
  ["the Seckill Service's paths", post("/api/v1/seckill", { product_id: "1" })],
  ["a token", post("/api/v1/tokens", { user_id: "ann" })],
];
test.each(foreign)("negative control: %s is held back and pulls the brake", async (_, request) => {
  const { fence, halt, reached, open } = rig();
  await open();
  const before = reached.length;
  const reply = await fence.send(request);
  expect(reply).toMatchObject({ kind: "lost", cause: "fenced" });
  expect(reached.length).toBe(before);
  expect(halt.reason?.by).toBe("fence");
  expect(fence.stopped).toEqual([{ method: request.method, path: request.path }]);
});

test("a sale of a product that is not ours is not created", async () => {
  const { fence, halt, reached } = rig();
  await fence.send(post("/api/v1/sales", { product_id: "1" }));
  expect([reached, halt.reason?.by]).toEqual([[], "fence"]);
});

const lies: [string, Record<string, LoadReply>, string][] = [
  ["a product that was there before", { "POST /api/v1/products": answer(200, { id: "1" }) }, "was there before"],
  ["a replayed sale", { "POST /api/v1/sales": answer(201, { id: "1", product_id: "10" }, true) }, "was there before"],
  ["a sale of another product", { "POST /api/v1/sales": answer(201, { id: "1", product_id: "1" }) }, "another product"],
  ["a unit of another sale", { "POST /api/v1/sales/20/purchases": answer(201, { id: "9", sale_id: "1" }) }, "took a unit of sale 1"],
  [
    "a payment at a real provider",
    { "POST /api/v1/orders/30/payments": answer(201, { id: "40", provider: "stripe" }) },
    'started a payment at "stripe", where money is real',
  ],
];
test.each(lies)("negative control: a shop that answers with %s stops the run", async (_, replies, text) => {
  const { fence, halt, open } = rig(replies);
  await open();
  if (halt.reason === undefined) await fence.send(post("/api/v1/orders/30/payments"));
  expect(halt.reason).toMatchObject({ by: "fence" });
  expect(halt.reason?.text).toContain(text);
});
