/**
 * Courses of things that have undone shops built like this one, each driven on purpose. A scenario throws when something is
 * not as it must be; the planted bugs that it names are there to see that it does.
 */
import type { Process } from "../sql/process.ts";
import type { Stage } from "./stage.ts";
import { type StageOptions } from "./stage.ts";

export type Scenario = {
  readonly name: string;
  readonly rule: string;
  readonly stage?: StageOptions | undefined;
  readonly run: (stage: Stage) => Promise<void>;
};

function expectEqual(found: unknown, wanted: unknown, what: string): void {
  const [mine, theirs] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (mine !== theirs) throw new Error(`${what}: expected ${theirs}, found ${mine}`);
}

const expectTold = async (asked: { told: () => Promise<{ kind: string; reason?: string }> }, wanted: string): Promise<void> => {
  const { kind, reason } = await asked.told();
  const isNamed = wanted.includes(" ");
  expectEqual(isNamed ? `${kind} ${reason ?? ""}` : kind, wanted, "the answer");
};

const apis = (stage: Stage) => ({ one: stage.process("api 1"), two: stage.process("api 2") });

/** The cache accepts a line of this process, which is stopped before anything of it is published. */
async function stopped(stage: Stage, by: Process, wish: { buyer: number; key?: string; waits?: boolean }) {
  let isStopped = false;
  stage.nextLines(by.server.name, "lost", () => {
    stage.stop(by);
    isStopped = true;
  });
  const asked = stage.buy(by, wish.buyer, wish);
  await stage.until(() => isStopped, "the cache to accept");
  return asked;
}

/** The cache loses all it has, and somebody asks it, who hears that it is being counted anew. */
async function lose(stage: Stage, by: Process): Promise<void> {
  stage.world.cache.flush();
  await expectTold(stage.buy(by, 8), "untried rebuilding");
}

const latePublish: Scenario = {
  name: "late publish across an epoch",
  rule: "QL2",
  run: async (stage) => {
    const { one, two } = apis(stage);
    stage.nextLines("api 1", { lateMs: 20_000, broken: true }, () => one.kill());
    stage.buy(one, 1, { key: "k" });
    await stage.until(() => !one.server.node.up, "the process to die");
    await lose(stage, two);
    await stage.opened(2);
    expectEqual(stage.states(), [], "what the ledger has before the message came");
    await stage.until(() => stage.purchases().length === 1, "the late line");
    await stage.finish();
    expectEqual(stage.sim.probes.has("line-readmitted"), true, "the cache that stands was asked");
  },
};

const latePublishSoldOut: Scenario = {
  name: "late publish across an epoch in which the last unit was sold",
  rule: "QL2",
  stage: { stock: 1, payWindowMs: 60_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    stage.nextLines("api 1", { lateMs: 20_000, broken: true }, () => one.kill());
    stage.buy(one, 1, { key: "k" });
    await stage.until(() => !one.server.node.up, "the process to die");
    await lose(stage, two);
    await stage.opened(2);
    await expectTold(stage.buy(two, 2), "accepted");
    await stage.until(() => stage.purchases().length === 2, "the late line");
    expectEqual(stage.states().at(-1), "refused stock", "the late line");
    await stage.finish();
  },
};

const stalePromotion: Scenario = {
  name: "stale promotion behind the client",
  rule: "QU5",
  stage: { stock: 3 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    await stage.pass(1_000);
    for (const buyer of [1, 2, 3]) await expectTold(stage.buy(one, buyer, { key: "k" }), "accepted");
    stage.world.cache.promote(0);
    await expectTold(stage.buy(two, 4), "untried rebuilding");
    await stage.opened(2);
    await expectTold(stage.buy(two, 5), "refused all_taken");
    await stage.finish();
  },
};

const returnDuringRebuild: Scenario = {
  name: "return during rebuild: an expiry commits while the opener loads",
  rule: "QL4",
  stage: { stock: 1, payWindowMs: 2_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    stage.nextCall("worker", "load", { lateMs: 6_000 });
    await lose(stage, one);
    await stage.until(() => stage.states()[0] === "expired", "the expiry");
    expectEqual(stage.scope().state, "opening", "the scope while it is loaded");
    await stage.opened(2);
    await stage.pass(1_500);
    await expectTold(stage.buy(two, 2), "accepted");
    await stage.finish();
  },
};

/** A line that the cache has accepted and whose message takes its time. */
function inFlight(stage: Stage, by: Process, buyer: number) {
  stage.nextLines(by.server.name, { lateMs: 1_500 });
  return stage.buy(by, buyer, { key: "k", waits: false });
}

const adjustment = (stage: Stage) => `/api/v1/sales/${stage.saleId}/stock-adjustments`;

const withdrawal: Scenario = {
  name: "withdrawal with lines in flight",
  rule: "QL6",
  stage: { stock: 3 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    const asked = inFlight(stage, one, 1);
    await stage.pass(100);
    expectEqual(
      await stage.operate(two, adjustment(stage), { units: -3, reason: "all" }, { "idempotency-key": "a" }),
      201,
      "the withdrawal",
    );
    await expectTold(asked, "queued");
    await stage.opened(2);
    expectEqual(stage.states(), ["reserved"], "the line in flight");
    await stage.finish();
  },
};

const quotaChange: Scenario = {
  name: "quota change with lines in flight",
  rule: "PU4",
  run: async (stage) => {
    const { one, two } = apis(stage);
    const asked = inFlight(stage, one, 1);
    await stage.pass(100);
    const body = JSON.stringify({ units: 0 });
    void stage.ask(two, { method: "PUT", path: "/api/v1/products/1001/quotas/u1", body });
    await expectTold(asked, "queued");
    await stage.finish();
    expectEqual(stage.purchases().length, 1, "purchases");
  },
};

const pausing: Scenario = {
  name: "pause with lines in flight",
  rule: "QL1",
  run: async (stage) => {
    const { one, two } = apis(stage);
    const asked = inFlight(stage, one, 1);
    await stage.pass(100);
    expectEqual(await stage.operate(two, `/api/v1/sales/${stage.saleId}/pause`, {}), 200, "the pause");
    await expectTold(asked, "queued");
    await stage.until(() => stage.states()[0] === "reserved", "the line in flight to settle");
    await stage.pass(1_000);
    await expectTold(stage.buy(two, 2), "refused paused");
    await stage.finish();
  },
};

const cancelling: Scenario = {
  name: "cancel with lines in flight",
  rule: "QL5",
  run: async (stage) => {
    const { one, two } = apis(stage);
    const asked = inFlight(stage, one, 1);
    await stage.pass(100);
    expectEqual(await stage.operate(two, `/api/v1/sales/${stage.saleId}/cancel`, {}), 200, "the cancellation");
    await expectTold(asked, "queued");
    await stage.until(() => stage.states()[0] === "refused sale_cancelled", "the line in flight to be refused");
    await stage.finish();
  },
};

const phantom: Scenario = {
  name: "phantom unit: the cache holds one more than the ledger",
  rule: "QL5",
  stage: { stock: 1 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    const { world } = stage;
    const { id, epoch } = stage.scope();
    const cached = world.cache.memory.epochs.get(`${id} ${epoch}`)?.sales.get(stage.saleId);
    if (cached === undefined) throw new Error("the sale is in the cache");
    const { sale } = cached;
    cached.sale = { ...sale, balances: { ...sale.balances, issued: 2, available: 2 } };
    world.auditor.lines.mayDrift = true;
    world.expectedErrors.add("the cache and the ledger differ");
    await expectTold(stage.buy(one, 1), "accepted");
    await stage.buy(two, 2, { key: "k" }).told();
    await stage.opened(2);
    expectEqual(stage.states().slice(0, 2), ["reserved", "refused stock"], "who got the one unit");
    await stage.finish();
  },
};

const repeatAfterSellOut: Scenario = {
  name: "repeat after sell-out, and after the cache was counted anew",
  rule: "QU2",
  stage: { stock: 1 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    await expectTold(stage.buy(two, 2), "refused all_taken");
    await expectTold(stage.buy(two, 1, { key: "k" }), "accepted");
    await lose(stage, one);
    await stage.opened(2);
    await expectTold(stage.buy(two, 1, { key: "k" }), "accepted");
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    await stage.finish();
  },
};

const prefetching: Scenario = {
  name: "prefetching consumer at the mark: a worker stopped with unacknowledged lines, another meets the mark",
  rule: "QM2",
  stage: { stock: 2, queue: { heartbeatMs: 3_000 } },
  run: async (stage) => {
    const { one, two } = apis(stage);
    const { reading } = stage.workers();
    stage.stop(reading);
    const asked = stage.buy(one, 1, { key: "k", waits: false });
    await stage.until(() => (stage.world.broker.readerOf(0)?.held ?? 0) > 0, "the stopped worker to hold a line");
    await expectTold(asked, "queued");
    void stage.operate(two, adjustment(stage), { units: -2, reason: "all" }, { "idempotency-key": "a" });
    await stage.opened(2);
    expectEqual(stage.states(), ["reserved"], "the line that the stopped worker held");
    stage.wake(reading);
    await stage.finish();
  },
};

const zombie: Scenario = {
  name: "zombie API: stopped between script and publish, it wakes after reopening",
  rule: "QE1",
  stage: { stock: 1, payWindowMs: 60_000, answerTimeoutMs: 15_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    const asked = await stopped(stage, one, { buyer: 1, key: "k", waits: false });
    await lose(stage, two);
    await stage.opened(2);
    await expectTold(stage.buy(two, 2), "accepted");
    stage.wake(one);
    await expectTold(asked, "unknown");
    await stage.until(() => stage.states().includes("refused stock"), "the late line to be refused");
    await stage.finish();
  },
};

const deadApi: Scenario = {
  name: "API dead between script and publish: others publish what it accepted",
  rule: "QE8",
  run: async (stage) => {
    const { one } = apis(stage);
    let isDead = false;
    stage.whenAccepted(() => {
      one.kill();
      isDead = true;
    });
    stage.buy(one, 1, { key: "k" });
    await stage.until(() => isDead, "the cache to accept");
    await stage.until(() => stage.states().includes("reserved"), "the line to settle");
    await stage.finish();
  },
};

const lateScript: Scenario = {
  name: "script call executed after its retry",
  rule: "QU6",
  stage: { stock: 3, limit: 3, answerTimeoutMs: 8_000 },
  run: async (stage) => {
    const { one } = apis(stage);
    stage.nextCall("api 1", "reserve", { lateMs: 2_500 });
    await expectTold(stage.buy(one, 1), "accepted");
    await stage.pass(3_000);
    expectEqual(stage.purchases().length, 1, "purchases");
    await stage.finish();
  },
};

const openerDies: Scenario = {
  name: "opener dies between cut and load",
  rule: "QE6",
  run: async (stage) => {
    const { one, two } = apis(stage);
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    let dead: Process | undefined;
    const { cache } = stage.world;
    cache.onCall = (call, client) => {
      if (call !== "load") return undefined;
      cache.onCall = () => undefined;
      dead = stage.process(client);
      dead.kill();
      return "lost";
    };
    await lose(stage, one);
    await stage.until(() => dead !== undefined, "the opener to die");
    await stage.opened(3);
    await expectTold(stage.buy(two, 2), "accepted");
    await stage.finish();
  },
};

const openerStalls: Scenario = {
  name: "opener stalls between cut and load, and two openers are there when it wakes",
  rule: "QL3",
  run: async (stage) => {
    const { one, two } = apis(stage);
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    let stalled: Process | undefined;
    const { cache } = stage.world;
    cache.onCall = (call, client) => {
      if (call !== "load") return undefined;
      cache.onCall = () => undefined;
      stalled = stage.process(client);
      stage.stop(stalled);
      // What it sent is done when the other one has opened.
      return { lateMs: 16_000 };
    };
    await lose(stage, one);
    await stage.until(() => stalled !== undefined, "the opener to stall");
    await stage.opened(3);
    await expectTold(stage.buy(two, 2), "accepted");
    if (stalled !== undefined) stage.wake(stalled);
    await stage.pass(18_000);
    await expectTold(stage.buy(one, 3), "accepted");
    expectEqual(stage.scope().epoch, 3, "the epoch that stands");
    await stage.finish();
  },
};

const readmittedWhileClosed: Scenario = {
  name: "line re-admitted while closed: it waits in the ledger, and the cut decides it",
  rule: "QL2",
  run: async (stage) => {
    const { one, two } = apis(stage);
    const asked = await stopped(stage, one, { buyer: 1, key: "k", waits: false });
    await lose(stage, two);
    await stage.opened(2);
    // It is counted anew once more, and loading takes its time.
    stage.nextCall("worker", "load", { lateMs: 9_000 });
    stage.world.cache.flush();
    await stage.buy(two, 2).told();
    await stage.until(() => stage.scope().state === "opening", "the scope to be loaded");
    stage.wake(one);
    await stage.until(() => stage.states().includes("queued"), "the late line to wait in the ledger");
    await expectTold(asked, "unknown");
    await stage.opened(3);
    await stage.until(() => stage.states().includes("reserved"), "the late line to be decided");
    await stage.finish();
  },
};

const parkedAtTheCut: Scenario = {
  name: "line that waits while the scope closes: the cut decides it",
  rule: "QL3",
  run: async (stage) => {
    const { one, two } = apis(stage);
    const { cache } = stage.world;
    await stopped(stage, one, { buyer: 1, key: "k" });
    await lose(stage, two);
    await stage.opened(2);
    // Nothing can be loaded, so one cut follows another, and what waits is decided by one of them.
    cache.onCall = (call) => (call === "load" ? "unheard" : undefined);
    cache.flush();
    await stage.buy(two, 2).told();
    await stage.until(() => stage.scope().state === "opening", "the scope to be loaded");
    stage.wake(one);
    await stage.until(() => stage.states().includes("queued"), "the late line to wait in the ledger");
    await stage.until(() => stage.states().includes("reserved"), "a cut to decide it");
    cache.onCall = () => undefined;
    await stage.finish();
    expectEqual(stage.sim.probes.has("unparked"), true, "a cut decided it");
  },
};

const sameKeyTwoIds: Scenario = {
  name: "same key under two ids across a cut",
  rule: "QL1",
  stage: { stock: 3, limit: 2 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    const first = await stopped(stage, one, { buyer: 1, key: "k", waits: false });
    await lose(stage, two);
    await stage.opened(2);
    await expectTold(stage.buy(two, 1, { key: "k" }), "accepted");
    stage.wake(one);
    await expectTold(first, "unknown");
    await stage.until(() => stage.states().includes("refused superseded"), "the second id to be refused");
    await stage.finish();
  },
};

const buryMessage = "a purchase cannot be settled and was put aside";

async function buried(stage: Stage): Promise<string> {
  const { one } = apis(stage);
  stage.world.expectedErrors.add(buryMessage);
  stage.buy(one, 1, { key: "k", note: "poison", waits: false });
  const { deadLetters } = stage.world.store.tables;
  await stage.until(() => deadLetters.size === 1, "the line to be put aside");
  return [...deadLetters.keys()][0] ?? "";
}

const discardLater: Scenario = {
  name: "discard in a later epoch",
  rule: "QL7",
  run: async (stage) => {
    const { two } = apis(stage);
    const id = await buried(stage);
    await lose(stage, two);
    await stage.opened(2);
    expectEqual(await stage.operate(two, `/api/v1/dead-letters/${id}/discard`, {}), 200, "the discarding");
    expectEqual(stage.states(), ["refused discarded"], "the line");
    await stage.pass(1_000);
    await expectTold(stage.buy(two, 2), "accepted");
    await stage.finish();
  },
};

const discardNow: Scenario = {
  name: "discard in the line's own epoch",
  rule: "QL5",
  stage: { stock: 1 },
  run: async (stage) => {
    const { two } = apis(stage);
    const id = await buried(stage);
    expectEqual(await stage.operate(two, `/api/v1/dead-letters/${id}/discard`, {}), 200, "the discarding");
    await stage.pass(1_500);
    await expectTold(stage.buy(two, 2), "accepted");
    await stage.finish();
  },
};

const replay: Scenario = {
  name: "dead-letter replay in a later epoch",
  rule: "QL7",
  run: async (stage) => {
    const { two } = apis(stage);
    const id = await buried(stage);
    await lose(stage, two);
    await stage.opened(2);
    stage.world.database.isCured = true;
    expectEqual(await stage.operate(two, `/api/v1/dead-letters/${id}/replay`, {}), 200, "the replay");
    await stage.until(() => stage.states().includes("reserved"), "the line to settle");
    await stage.finish();
  },
};

const redelivered: Scenario = {
  name: "settled line redelivered after the cut",
  rule: "QL1",
  stage: { payWindowMs: 60_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    // The first try breaks off and arrives after all, long after the second.
    stage.nextLines("api 1", { lateMs: 9_000, broken: true });
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    await lose(stage, two);
    await stage.opened(2);
    await stage.until(() => stage.sim.probes.has("line-came-again"), "the line to come again");
    expectEqual(stage.states(), ["reserved"], "the line");
    await stage.finish();
  },
};

const workerDies: Scenario = {
  name: "worker dies between commit and acknowledgement",
  rule: "QL1",
  run: async (stage) => {
    const { one } = apis(stage);
    const { reading } = stage.workers();
    const { auditor } = stage.world;
    const before = auditor.onAccepted;
    auditor.onAccepted = (...accepted) => {
      before?.(...accepted);
      auditor.onAccepted = before;
      reading.kill();
    };
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    await stage.until(() => stage.sim.probes.has("line-came-again"), "the line to come again");
    await stage.finish();
  },
};

const workerDiesInHand: Scenario = {
  name: "worker dies with a line in hand",
  rule: "QM2",
  stage: { payWindowMs: 60_000 },
  run: async (stage) => {
    const { one } = apis(stage);
    const { reading } = stage.workers();
    const { faults } = stage.world;
    stage.world.faults = { ...faults, readMs: 400 };
    const asked = stage.buy(one, 1, { key: "k", waits: false });
    await stage.until(() => (stage.world.broker.readerOf(0)?.held ?? 0) > 0, "the worker to have the line");
    await stage.pass(8);
    reading.kill();
    stage.world.faults = faults;
    await expectTold(asked, "queued");
    // Long before anybody would compare what the cache accepted with what has come.
    await stage.pass(15_000);
    expectEqual(stage.states(), ["reserved"], "the line that the dead worker held");
    await stage.finish();
  },
};

const lostConfirm: Scenario = {
  name: "lost confirm",
  rule: "QM3",
  run: async (stage) => {
    const { one } = apis(stage);
    stage.nextLines("api 1", "unheard");
    await expectTold(stage.buy(one, 1, { key: "k", waits: false }), "unknown");
    await stage.until(() => stage.sim.probes.has("line-came-again"), "the line to be published again");
    expectEqual(stage.states(), ["reserved"], "the line");
    await stage.finish();
  },
};

const lostMessage: Scenario = {
  name: "a message that the broker sends back",
  rule: "QM3",
  run: async (stage) => {
    const { one } = apis(stage);
    stage.nextLines("api 1", "returned");
    await expectTold(stage.buy(one, 1, { key: "k" }), "accepted");
    await stage.finish();
  },
};

const unheardYes: Scenario = {
  name: "script executed although its reply was lost",
  rule: "QE2",
  stage: { stock: 1, limit: 2, answerTimeoutMs: 8_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    stage.nextCall("api 1", "reserve", "unheard");
    const asked = stage.buy(one, 1);
    await stage.pass(300);
    await expectTold(stage.buy(two, 2), "refused all_taken");
    await expectTold(asked, "accepted");
    await stage.finish();
  },
};

const behindTheMark: Scenario = {
  name: "line that its process publishes behind the opener's mark",
  rule: "QE3",
  stage: { answerTimeoutMs: 8_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    stage.nextCall("api 1", "reserve", { lateMs: 800 });
    stage.world.broker.onPublish = (text, client) => {
      if (client === "api 1" && text.includes('"lines"')) return { lateMs: 3_000 };
      return client.startsWith("worker") && text.includes('"mark"') ? { lateMs: 1_500 } : undefined;
    };
    const asked = stage.buy(one, 1, { key: "k", waits: false });
    await stage.pass(20);
    void stage.operate(two, adjustment(stage), { units: -3, reason: "all" }, { "idempotency-key": "a" }).catch(() => undefined);
    await stage.opened(2);
    stage.world.broker.onPublish = () => undefined;
    await asked.told();
    await stage.finish();
  },
};

const toldByTheDead: Scenario = {
  name: "told line of processes that died, with a stopped worker",
  rule: "QL3",
  stage: { queue: { heartbeatMs: 20_000 } },
  run: async (stage) => {
    const { one, two } = apis(stage);
    const { reading } = stage.workers();
    stage.stop(reading);
    await expectTold(stage.buy(one, 1, { key: "k", waits: false }), "queued");
    one.kill();
    void stage.operate(two, adjustment(stage), { units: -3, reason: "all" }, { "idempotency-key": "a" }).catch(() => undefined);
    await stage.until(() => stage.scope().state === "closing", "the scope to close");
    // Nobody is left who would owe a mark.
    two.kill();
    await stage.opened(2);
    await stage.finish();
  },
};

const comesTwice: Scenario = {
  name: "line that comes twice in a later epoch",
  rule: "QL2",
  stage: { stock: 3, limit: 3, payWindowMs: 60_000 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    await stopped(stage, one, { buyer: 1 });
    await lose(stage, two);
    await stage.opened(2);
    stage.nextLines("api 1", "unheard");
    stage.wake(one);
    await stage.until(() => stage.states().length === 1, "the late line");
    await stage.until(() => stage.sim.probes.has("line-came-again"), "the late line to come again");
    expectEqual(stage.states(), ["reserved"], "the line");
    await stage.finish();
  },
};

const returnAfterSellOut: Scenario = {
  name: "return after sell-out is sold to who asks again",
  rule: "QE5",
  stage: { stock: 1, payWindowMs: 2_000 },
  run: async (stage) => {
    const { one } = apis(stage);
    await expectTold(stage.buy(one, 1), "accepted");
    await expectTold(stage.buy(one, 2), "refused all_taken");
    await expectTold(stage.buy(one, 3), "refused all_taken");
    await stage.until(() => stage.states()[0] === "expired", "the expiry");
    await stage.pass(2_000);
    await expectTold(stage.buy(one, 2), "accepted");
    await stage.finish();
  },
};

const markElsewhere: Scenario = {
  name: "memory of one process while another sells what came back",
  rule: "QU4",
  stage: { stock: 1 },
  run: async (stage) => {
    const { one, two } = apis(stage);
    await expectTold(stage.buy(one, 1), "accepted");
    const id = stage.purchases()[0]?.id ?? "";
    const cancel = { method: "POST", path: `/api/v1/orders/${id}/cancel`, body: "{}" } as const;
    void stage.ask(two, cancel, "u1").then((reply) => stage.judge.cancelled(id, reply));
    // One process keeps hearing that all is taken, the other asks until it is not.
    for (let tries = 0; tries < 400; tries++) {
      const other = stage.buy(one, 2);
      const asked = stage.buy(two, 3, { key: "k" });
      await other.told();
      if ((await asked.told()).kind === "accepted") break;
      await stage.pass(5);
    }
    await expectTold(stage.buy(one, 3, { key: "k" }), "accepted");
    await stage.finish();
  },
};

export const scenarios: readonly Scenario[] = [
  latePublish,
  latePublishSoldOut,
  stalePromotion,
  returnDuringRebuild,
  withdrawal,
  quotaChange,
  pausing,
  cancelling,
  phantom,
  repeatAfterSellOut,
  prefetching,
  zombie,
  deadApi,
  lateScript,
  openerDies,
  openerStalls,
  readmittedWhileClosed,
  parkedAtTheCut,
  sameKeyTwoIds,
  discardLater,
  discardNow,
  replay,
  redelivered,
  workerDies,
  workerDiesInHand,
  lostConfirm,
  lostMessage,
  unheardYes,
  behindTheMark,
  toldByTheDead,
  comesTwice,
  returnAfterSellOut,
  markElsewhere,
];
