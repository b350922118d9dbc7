import { expect, test } from "bun:test";
import { parseHistoryEvent } from "../../domain/history.ts";
import type { LoadClient, LoadReply } from "../../ports/load-client.ts";
import { HistoryRecorder } from "./history-recorder.ts";
import { ShopClient } from "./shop-client.ts";

function rig(...replies: LoadReply[]) {
  const lines: string[] = [];
  let nowMs = 0;
  const recorder = new HistoryRecorder({
    append: (line) => lines.push(line),
    nowMs: () => nowMs++,
    hash: (text) => `h${text.length}`,
    proc: "p",
  });
  const load: LoadClient = { send: async () => replies.shift() ?? { kind: "lost", cause: "connection", latencyMs: 1 } };
  const events = () => lines.map((line) => parseHistoryEvent(line.trimEnd()));
  return { shop: new ShopClient(load, { apiKey: "k", recorder }), events };
}
const answer = (status: number, body: string): LoadReply => ({
  kind: "answer",
  status,
  body,
  replayed: false,
  requestId: undefined,
  latencyMs: 1,
});
const envelope = (code: number, data: unknown) => JSON.stringify({ code, message: "m", data });

/** Status, body, and what the record may say of a purchase that was answered so. */
const rows: [string, LoadReply, Record<string, unknown>][] = [
  ["201", answer(201, envelope(0, { id: "7" })), { type: "ok", id: "7", code: 0 }],
  ["a refusal", answer(409, envelope(1006, { reason: "sold_out" })), { type: "fail", code: 1006 }],
  ["503, which tried nothing", answer(503, envelope(503, { reason: "busy" })), { type: "fail", code: 503 }],
  ["504", answer(504, envelope(504, { reason: "outcome_unknown" })), { type: "info", code: 504 }],
  ["500", answer(500, envelope(500, {})), { type: "info", code: 500 }],
  ["201 that cannot be read", answer(201, "<html>"), { type: "info" }],
  ["201 without an id", answer(201, envelope(0, {})), { type: "info" }],
  ["502 of something between", answer(502, "Bad Gateway"), { type: "info" }],
  ["a lost connection", { kind: "lost", cause: "connection", latencyMs: 1 }, { type: "info" }],
  ["a time-out", { kind: "lost", cause: "timed_out", latencyMs: 1 }, { type: "info" }],
];

test.each(rows)("a purchase answered with %s", async (_, reply, told) => {
  const { shop, events } = rig(reply);
  await shop.purchase({ saleId: "5", buyer: "ann", key: "k1", quantity: 2 });
  const common = { attempt: "p-1", proc: "p", f: "purchase", user: "ann", event: "5", key: "k1", qty: 2 };
  expect(events()).toMatchObject([
    { i: 0, t: 0, type: "invoke", ...common },
    { i: 1, t: 1, ...common, ...told },
  ]);
});

test("reads, payments, cancellations and stock are legal events of the format", async () => {
  const stock = { issued: 3, available: 1, held: 1, sold: 1, withdrawn: 0 };
  const order = answer(200, envelope(0, { id: "7", state: "paid" }));
  const { shop, events } = rig(
    order,
    answer(201, envelope(0, { id: "9" })),
    order,
    answer(200, envelope(0, { stock: { ...stock, planned: 3 } })),
  );
  await shop.read("7", "ann");
  await shop.pay("7", "ann", "success");
  await shop.cancel("7", "ann");
  await shop.stock("5");
  expect(events().filter((event) => "problem" in event)).toEqual([]);
  expect(events().filter((event) => "type" in event && event.type === "ok")).toMatchObject([
    { f: "get", id: "7", state: "paid" },
    { f: "pay", id: "7" },
    { f: "cancel", id: "7", state: "paid" },
    { f: "stock", stock },
  ]);
});
