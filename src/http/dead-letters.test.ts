import { expect, test } from "bun:test";
import type { DeadLetterAnswer, DeadLetters } from "../engine/queue/dead-letters.ts";
import type { DeadLetter } from "../ports/queue-ledger.ts";
import { openMemoryApi, otherShopKey, shopKey } from "../../tests/harness/memory-api.ts";
import { buyerId, money, purchaseId, saleId, samplePurchase } from "../../tests/kit/samples.ts";

const path = "/api/v1/dead-letters";

/** A desk with one line of the sale and one message that nobody can read. */
function deskWith(sale: string): DeadLetters & { readonly done: string[] } {
  const line = { purchaseId: purchaseId("31"), buyerId: buyerId(7), quantity: 2, price: money(500), limit: 2, acceptedAtMs: 1_000 };
  const letters = new Map<string, DeadLetter>([
    ["31", { kind: "line", id: "31", problem: "no", atMs: 2_000, tries: 5, scopeId: saleId(sale), saleId: saleId(sale), epoch: 1, line }],
    ["message-0", { kind: "message", id: "message-0", problem: "damaged", atMs: 3_000, tries: 0, text: "x" }],
  ]);
  const done: string[] = [];
  return {
    done,
    list: async () => [...letters.values()],
    find: async (id) => letters.get(id),
    replay: async (id) => {
      done.push(`replay ${id}`);
      return letters.get(id)?.kind === "message" ? { kind: "not_replayable" } : { kind: "done" };
    },
    discard: async (id) => {
      done.push(`discard ${id}`);
      return letters.delete(id) ? { kind: "done" } : { kind: "unknown_letter" };
    },
  };
}

test("[C2] [QL7] a shop lists the purchases of its sales that could not be settled, and has them tried again or discarded", async () => {
  let desk: ReturnType<typeof deskWith> | undefined;
  const now: DeadLetters = {
    list: async () => desk?.list() ?? [],
    find: async (id) => desk?.find(id),
    replay: async (id) => desk?.replay(id) ?? { kind: "unknown_letter" },
    discard: async (id) => desk?.discard(id) ?? { kind: "unknown_letter" },
  };
  const api = await openMemoryApi({ deadLetters: now });
  const { saleId: sale } = await api.openSale({ nowMs: api.time.nowMs });
  const opened = (desk = deskWith(sale));
  const by = (key: string) => ({
    list: () => api.ask("GET", path, { key }),
    deal: (id: string, how: "replay" | "discard") => api.ask("POST", `${path}/${id}/${how}`, { key }),
  });
  const [own, other] = [by(shopKey), by(otherShopKey)];
  expect((await own.list()).data).toMatchObject({
    total: 1,
    items: [{ id: "31", kind: "line", sale_id: sale, quantity: 2, tries: 5, text: null }],
  });
  expect((await other.list()).data["total"]).toBe(0);
  expect((await other.deal("31", "replay")).status).toBe(404);
  expect((await own.deal("31", "replay")).data["id"]).toBe("31");
  expect((await own.deal("31", "discard")).status).toBe(200);
  const gone = await own.deal("31", "discard");
  expect([gone.status, gone.data["reason"]]).toEqual([404, "letter_unknown"]);
  // What nobody can read is of no shop.
  expect((await own.deal("message-0", "discard")).status).toBe(404);
  expect(opened.done).toEqual(["replay 31", "discard 31"]);
  await api.close();
});

test("[C2] [QL7] what could not be discarded is said: it was settled meanwhile, or nothing of it can be kept", async () => {
  const answers: DeadLetterAnswer[] = [
    { kind: "settled", purchase: samplePurchase() },
    { kind: "not_discardable" },
    { kind: "unavailable" },
    { kind: "unknown" },
  ];
  let desk: ReturnType<typeof deskWith> | undefined;
  const now: DeadLetters = {
    list: async () => [],
    find: async (id) => desk?.find(id),
    replay: async () => ({ kind: "unavailable" }),
    discard: async () => answers.shift() ?? { kind: "unknown_letter" },
  };
  const api = await openMemoryApi({ deadLetters: now });
  desk = deskWith((await api.openSale({ nowMs: api.time.nowMs })).saleId);
  const told = [];
  for (let asked = 0; asked < 4; asked++) {
    const { status, data } = await api.ask("POST", `${path}/31/discard`, { key: shopKey });
    told.push([status, data["reason"], data["state"]]);
  }
  expect(told).toEqual([
    [409, "letter_settled", "reserved"],
    [409, "letter_not_discardable", undefined],
    [503, "busy", undefined],
    [504, "outcome_unknown", undefined],
  ]);
  await api.close();
});
