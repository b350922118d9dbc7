/** Directed scenarios of single lines: on their way through cache and broker, into the ledger, put aside, and told again. */
import { adjustment, apis, buried, expectEqual, expectTold, inFlight, lose, type Scenario } from "./scenario.ts";

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
  stage: { payWindowMs: 60_000 },
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
    const giveBack = (buyer: number) => {
      const id = stage.purchases().at(-1)?.id ?? "";
      const cancel = { method: "POST", path: `/api/v1/orders/${id}/cancel`, body: "{}" } as const;
      void stage.ask(two, cancel, `u${buyer}`).then((reply) => stage.judge.cancelled(id, reply));
    };
    giveBack(1);
    // One process keeps hearing that all is taken, the other asks until it is not; whose turn it is when the unit comes back differs.
    for (let round = 1; round <= 12; round++) {
      const winner = 1_000 * round;
      for (let buyer = winner + 1; buyer < winner + 900; buyer++) {
        // Of those who were accepted once the memory says nothing.
        const other = stage.buy(one, buyer);
        const asked = stage.buy(two, winner, { key: "k" });
        const [heard, told] = [await other.told(), await asked.told()];
        if (told.kind === "accepted") break;
        if (heard.kind === "accepted") giveBack(buyer);
        await stage.pass(5);
      }
      await expectTold(stage.buy(one, winner, { key: "k" }), "accepted");
      giveBack(winner);
    }
    await stage.finish();
  },
};

export const lineScenarios: readonly Scenario[] = [
  withdrawal,
  quotaChange,
  pausing,
  cancelling,
  phantom,
  repeatAfterSellOut,
  deadApi,
  lateScript,
  discardLater,
  discardNow,
  replay,
  workerDies,
  workerDiesInHand,
  lostConfirm,
  lostMessage,
  unheardYes,
  returnAfterSellOut,
  markElsewhere,
];
