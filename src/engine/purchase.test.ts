import { expect, test } from "bun:test";
import { localIssuer } from "../domain/access.ts";
import { IdMint, idEpochMs } from "../domain/id-mint.ts";
import type { BuyerId } from "../domain/ids.ts";
import { FaultyLedger } from "../../tests/kit/faulty-ledger.ts";
import { internNow, storeWith } from "../../tests/kit/live-sale.ts";
import { ManualTime, turns } from "../../tests/kit/manual-time.ts";
import { sampleNowMs, saleId } from "../../tests/kit/samples.ts";
import { SeededEntropy } from "../../tests/kit/seeded-entropy.ts";
import { DirectAcceptance } from "./accept-direct.ts";
import { purchase, refuseStranger, type PurchaseDeps } from "./purchase.ts";
import { SaleBoard } from "./sale-board.ts";

const one = saleId("11");

function shop(stock: number) {
  const store = storeWith([[one, { stock }]]);
  const clock = new ManualTime(sampleNowMs);
  const ledger = new FaultyLedger(store);
  const entropy = new SeededEntropy(1);
  const board = new SaleBoard({ records: store, clock, entropy }, { salesMax: 10, buyersMax: 1_000 });
  const options = { batchMax: 100, queueMax: 1_000, answerTimeoutMs: 1_000 };
  const acceptance = new DirectAcceptance({ ledger, board, clock, tasks: clock }, options);
  const ids = new IdMint({ nowMs: () => clock.nowMs() + idEpochMs, random: () => entropy.random() });
  const deps: PurchaseDeps = { board, acceptance, clock, ids };
  const buy = (buyerId: BuyerId, key?: string) => purchase(deps, { saleId: one, buyerId, issuer: "shop", key, quantity: 1 });
  return { store, ledger, board, deps, buy, buyer: (name: string) => internNow(store, name) };
}

test("[PU1] a purchase of a sale nobody has looked at yet loads it once and goes on to the decider", async () => {
  const { buy, buyer } = shop(3);
  const answers = await Promise.all(["a", "b", "c", "d"].map(async (name) => buy(buyer(name))));
  expect(answers.map((answer) => answer.kind)).toEqual(["accepted", "accepted", "accepted", "refused"]);
});

test("[PU1] an unknown sale is unknown", async () => {
  const { deps, buyer } = shop(1);
  expect(await purchase(deps, { saleId: saleId("99"), buyerId: buyer("a"), issuer: "shop", quantity: 1 })).toEqual({
    kind: "sale_unknown",
  });
});

test("[E2] to another shop's buyer a sale does not exist; an account of ours may buy in every shop", async () => {
  const { deps, buyer } = shop(1);
  const ask = { saleId: one, buyerId: buyer("a"), quantity: 1 };
  expect(await purchase(deps, { ...ask, issuer: "other" })).toEqual({ kind: "sale_unknown" });
  expect(await refuseStranger(deps, { saleId: one, issuer: "other" })).toEqual({ reason: "sale_unknown" });
  expect(await refuseStranger(deps, { saleId: one, issuer: "shop" })).toBeUndefined();
  expect(await purchase(deps, { ...ask, issuer: localIssuer })).toMatchObject({ kind: "accepted" });
});

test("[PU16] after the sell-out newcomers are refused without the decider, accepted buyers reach it", async () => {
  const { buy, buyer, ledger } = shop(1);
  const [ann, bob] = [buyer("ann"), buyer("bob")];
  const first = await buy(ann, "k");
  await buy(bob, "k");
  await turns();
  const before = ledger.batches.length;
  for (let i = 0; i < 20; i++) expect(await buy(bob, `k${i}`)).toMatchObject({ kind: "refused", refusal: { reason: "all_taken" } });
  expect(ledger.batches.length).toBe(before);
  expect(await buy(ann, "k")).toMatchObject({ kind: "accepted", replayed: true });
  expect(first).toMatchObject({ kind: "accepted", replayed: false });
});

test("[PU16] a repeat that meets its first in flight waits for it, although others already hear sold out", async () => {
  const { buy, buyer, ledger, board } = shop(2);
  const [ann, bob, cat] = [buyer("ann"), buyer("bob"), buyer("cat")];
  await buy(ann, "k");
  const release = ledger.hold("after");
  const first = buy(bob, "k");
  await turns();
  // The unit is taken in the store, but nobody has heard of it yet.
  expect(board.peek(one)?.sale.balances.available).toBe(1);
  const repeats = [buy(bob, "k"), buy(bob, "k")];
  const late = buy(cat, "k");
  release();
  expect(await first).toMatchObject({ kind: "accepted", replayed: false });
  for (const repeat of repeats) expect(await repeat).toMatchObject({ kind: "accepted", replayed: true });
  expect(await late).toMatchObject({ kind: "refused", refusal: { reason: "all_taken" } });
});
