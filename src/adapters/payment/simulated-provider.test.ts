import { expect, test } from "bun:test";
import { parsePaymentId, parsePurchaseId, parseRefundId } from "../../domain/ids.ts";
import { paymentGraceMs } from "../../domain/purchase.ts";
import { euros, must, startMs } from "../../../tests/kit/order-world.ts";
import { ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { SeededEntropy } from "../../../tests/kit/seeded-entropy.ts";
import { MemoryJournal } from "./provider-journal.ts";
import { parseScenario, scenarios } from "./provider-scenarios.ts";
import { SimulatedProvider } from "./simulated-provider.ts";

const price = euros(1_999);
const holdUntilMs = startMs + paymentGraceMs;
const paymentId = must(parsePaymentId("7"));
const refundId = (text: string) => must(parseRefundId(text));

class StubbornJournal extends MemoryJournal {
  failing = 0;
  override async append(line: string): Promise<void> {
    if (this.failing > 0) {
      this.failing -= 1;
      throw new Error("The disk is full, as planned");
    }
    await super.append(line);
  }
}

async function rig(journal = new StubbornJournal(), time = new ManualTime(startMs)) {
  const sent: { atMs: number; id: string; type: string; data: Record<string, unknown> }[] = [];
  const shop = { accepts: () => true };
  const provider = await SimulatedProvider.open({
    journal, clock: time, tasks: time, entropy: new SeededEntropy(3),
    send: async (callback) => {
      sent.push({ atMs: time.nowMs() - startMs, id: callback.id, ...JSON.parse(callback.body) });
      await turns(1);
      return shop.accepts();
    },
  }); // prettier-ignore
  const submit = (scenario?: string, id = paymentId) =>
    provider.submit({ paymentId: id, purchaseId: must(parsePurchaseId("5")), money: price, holdUntilMs, scenario });
  const pass = async (ms: number) => {
    await time.advance(ms);
    await turns(6);
  };
  return { journal, time, sent, shop, provider, submit, pass };
}

const captured = (n: number, minor = price.minor) => ({
  id: `cb_cap_7_${n}`,
  type: "payment.captured",
  data: { payment_id: "7", capture_id: `cap_7_${n}`, amount_minor: minor, currency: "EUR" },
});

type Expected = {
  readonly callbacks: readonly object[];
  readonly withinMs: number;
  readonly minor: readonly number[];
  readonly failed?: boolean;
};
const table: Readonly<Record<string, Expected>> = {
  success: { callbacks: [captured(1)], withinMs: 1_000, minor: [price.minor] },
  failure: {
    callbacks: [{ id: "cb_7_failed", type: "payment.failed", data: { payment_id: "7" } }],
    withinMs: 1_000,
    minor: [],
    failed: true,
  },
  delay: { callbacks: [captured(1)], withinMs: 6_000, minor: [price.minor] },
  duplicate: { callbacks: [captured(1), captured(1), captured(1)], withinMs: 2_000, minor: [price.minor] },
  late: { callbacks: [captured(1)], withinMs: paymentGraceMs + 4_000, minor: [price.minor] },
  wrong_amount: { callbacks: [captured(1, price.minor - 1)], withinMs: 1_000, minor: [price.minor - 1] },
  abandon: { callbacks: [], withinMs: 10_000_000, minor: [] },
  second_capture: { callbacks: [captured(1), captured(2)], withinMs: 2_000, minor: [price.minor, price.minor] },
};

for (const scenario of scenarios)
  test(`scenario ${scenario}: takes and tells what its name says`, async () => {
    const { sent, provider, submit, pass } = await rig();
    const { callbacks, withinMs, minor, failed = false } = must(table[scenario]);
    expect(await submit(scenario)).toEqual({ kind: "submitted", providerRef: "sim_7" });
    await pass(withinMs);
    const byId = (a: { id?: string }, b: { id?: string }) => (must(a.id) < must(b.id) ? -1 : 1);
    expect(sent.map(({ id, type, data }) => ({ id, type, data })).sort(byId)).toEqual([...callbacks].sort(byId) as typeof sent);
    const captures = minor.map((units, i) => ({ captureId: `cap_7_${i + 1}`, money: euros(units) }));
    const known = await provider.look(paymentId);
    expect(known).toMatchObject({ kind: "known", state: failed ? "failed" : "pending" });
    expect(known.kind === "known" && known.captures.toSorted((a, b) => (a.captureId < b.captureId ? -1 : 1))).toEqual(captures);
    expect(provider.unfinished).toBe(0);
  });

test("late money is taken only after the order's deadline and the sweep", async () => {
  const { sent, submit, pass } = await rig();
  await submit("late");
  await pass(paymentGraceMs + 2_000);
  expect(sent).toEqual([]);
});

test("a delay takes its seconds after a colon", async () => {
  const { sent, submit, pass } = await rig();
  await submit("delay:30");
  await pass(29_000);
  expect(sent).toEqual([]);
  await pass(2_000);
  expect(sent.length).toBe(1);
});

test("two of three copies go out together", async () => {
  const { sent, submit, pass } = await rig();
  await submit("duplicate");
  await pass(2_000);
  expect(sent[0]?.atMs).toBe(must(sent[1]).atMs);
  expect(must(sent[2]).atMs).toBeGreaterThan(must(sent[1]).atMs);
});

test("an unknown scenario is declined", async () => {
  const { submit, provider } = await rig();
  expect((await submit("generous")).kind).toBe("declined");
  expect(await provider.look(paymentId)).toEqual({ kind: "not_found" });
  for (const text of ["", "success:1", "delay:", "delay:x", "delay:-1", "delay:1:2", "delay:86401", "Delay"])
    expect(parseScenario(text)).toBeUndefined();
  expect(parseScenario("delay:0")).toEqual({ scenario: "delay", seconds: 0 });
});

test("[PA7] a payment submitted again, at once or later, is the same payment", async () => {
  const { journal, provider, submit, pass } = await rig();
  const answers = await Promise.all([submit("success"), submit("success"), submit("second_capture")]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  await pass(2_000);
  expect(await submit("failure")).toEqual({ kind: "submitted", providerRef: "sim_7" });
  await pass(2_000);
  expect(provider.record.captures.size).toBe(1);
  expect(journal.lines.filter((line) => line.includes('"payment"')).length).toBe(1);
});

test("a callback is repeated with growing pauses until the shop acknowledges it, and then no more", async () => {
  const { sent, shop, provider, submit, pass } = await rig();
  shop.accepts = () => false;
  await submit("success");
  for (let i = 0; i < 60; i++) await pass(1_000);
  const pauses = sent.slice(1).map(({ atMs }, i) => atMs - must(sent[i]).atMs);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(11_000);
  expect(must(pauses.at(-1))).toBeGreaterThan(must(pauses[0]));
  shop.accepts = () => true;
  for (let i = 0; i < 12; i++) await pass(1_000);
  const tries = sent.length;
  expect(provider.unfinished).toBe(0);
  await pass(10_000_000);
  expect(sent.length).toBe(tries);
});

test("a restart goes on: payments not yet made are made, callbacks not acknowledged are sent", async () => {
  const first = await rig();
  await first.submit("delay:30");
  first.shop.accepts = () => false;
  await first.submit("success", must(parsePaymentId("8")));
  await first.pass(1_000);
  // Killed: no close, its timers belong to a process that is no more.
  const lines = first.journal.lines;
  const second = await rig(new StubbornJournal(lines), new ManualTime(startMs + 2_000));
  await second.pass(1_000);
  expect(second.sent.map(({ id }) => id)).toEqual(["cb_cap_8_1"]);
  await second.pass(30_000);
  expect(second.sent.map(({ id }) => id)).toEqual(["cb_cap_8_1", "cb_cap_7_1"]);
  const third = await rig(new StubbornJournal(second.journal.lines), new ManualTime(startMs + 60_000));
  await third.pass(100_000);
  expect(third.sent).toEqual([]);
  expect([...third.provider.record.captures.keys()]).toEqual(["cap_8_1", "cap_7_1"]);
});

test("money is not told of, nor counted, before the journal has it", async () => {
  const { journal, sent, provider, submit, pass } = await rig();
  journal.failing = 1;
  expect(await submit("success")).toEqual({ kind: "unknown" });
  expect(await provider.look(paymentId)).toEqual({ kind: "not_found" });
  expect((await submit("success")).kind).toBe("submitted");
  journal.failing = 1;
  await pass(900);
  expect([sent.length, provider.record.captures.size]).toEqual([0, 0]);
  await pass(1_500);
  expect([sent.length, provider.record.captures.size]).toEqual([1, 1]);
});

test("[PA10] a refund's id has one effect, at once, later and after a restart", async () => {
  const { journal, provider, submit, pass } = await rig();
  await submit("success");
  await pass(1_000);
  const ask = { refundId: refundId("9"), captureId: "cap_7_1", money: price };
  expect(await Promise.all([provider.refund(ask), provider.refund(ask), provider.refund(ask)])).toEqual([
    { kind: "done" },
    { kind: "done" },
    { kind: "done" },
  ]);
  const again = await rig(new StubbornJournal(journal.lines));
  expect(await again.provider.refund(ask)).toEqual({ kind: "done" });
  expect(again.provider.record.captures.get("cap_7_1")?.refundedMinor).toBe(price.minor);
  expect(again.journal.lines.filter((line) => line.includes('"refund"')).length).toBe(1);
});

test("[PA10] no more is returned than was taken, whoever asks and however fast", async () => {
  const { provider, submit, pass } = await rig();
  await submit("success");
  await pass(1_000);
  const ask = (id: string, minor: number) => provider.refund({ refundId: refundId(id), captureId: "cap_7_1", money: euros(minor) });
  const answers = await Promise.all([ask("9", 1_999), ask("10", 1_999), ask("11", 1)]);
  expect(answers.map(({ kind }) => kind)).toEqual(["done", "declined", "declined"]);
  expect((await ask("9", 5)).kind).toBe("declined");
  expect((await provider.refund({ refundId: refundId("12"), captureId: "cap_8_1", money: price })).kind).toBe("declined");
});

test("[PA10] a refund that could not be written is unknown, and done when asked again", async () => {
  const { journal, provider, submit, pass } = await rig();
  await submit("success");
  await pass(1_000);
  const ask = { refundId: refundId("9"), captureId: "cap_7_1", money: price };
  journal.failing = 1;
  expect(await provider.refund(ask)).toEqual({ kind: "unknown" });
  expect(await provider.refund(ask)).toEqual({ kind: "done" });
  expect(provider.record.refunds.size).toBe(1);
});

test("the same seed gives the same journal", async () => {
  const run = async () => {
    const { journal, submit, pass } = await rig();
    for (const [i, scenario] of scenarios.entries()) await submit(scenario, must(parsePaymentId(String(i + 10))));
    await pass(200_000);
    return journal.lines.join("\n");
  };
  expect(await run()).toBe(await run());
});

test("a closed provider does nothing more", async () => {
  const { sent, provider, submit, pass } = await rig();
  await submit("delay:5");
  await provider.close();
  await pass(60_000);
  expect(sent).toEqual([]);
  expect(provider.unfinished).toBe(0);
});
