/** Directed scenarios of epochs: caches that are lost, openers, marks, and lines that come across a cut. */
import type { Process } from "../sql/process.ts";
import { adjustment, apis, expectEqual, expectTold, lose, stopped, type Scenario } from "./scenario.ts";

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
    // The cache that stands never counted it, and has nothing to give back.
    await stage.pass(1_000);
    await expectTold(stage.buy(two, 3), "refused all_taken");
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

export const epochScenarios: readonly Scenario[] = [
  latePublish,
  latePublishSoldOut,
  stalePromotion,
  returnDuringRebuild,
  zombie,
  openerDies,
  openerStalls,
  readmittedWhileClosed,
  parkedAtTheCut,
  sameKeyTwoIds,
  redelivered,
  comesTwice,
  behindTheMark,
  toldByTheDead,
  prefetching,
];
