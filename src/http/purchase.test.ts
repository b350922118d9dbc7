import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import { SystemTasks } from "../adapters/system/system-tasks.ts";
import type { LedgerBatch, CommitResult } from "../ports/stock-ledger.ts";
import { openMemoryApi, shopKey, type MemoryApi, type Told } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
let sale: { saleId: string; productId: string };
let token: string;

beforeEach(async () => {
  api = await openMemoryApi();
  sale = await api.openSale({ nowMs: api.time.nowMs, stock: 2, per_buyer_limit: 2, pay_window_seconds: 60 });
  token = await api.tokenOf("ann");
});
afterEach(() => api.close());

const buy = (call: Parameters<MemoryApi["ask"]>[2] = {}, saleId = sale.saleId) =>
  api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { bearer: token, ...call });
const stock = async () => (await api.ask("GET", `/api/v1/sales/${sale.saleId}`)).data["stock"];

describe("a purchase", () => {
  test("is answered with its row as accepted", async () => {
    const told = await buy({ json: { quantity: 1, metadata: { size: "M", n: [1, 2] } }, idempotencyKey: "k" });
    expect(told.status).toBe(201);
    expect(told.headers.get("idempotency-replayed")).toBeNull();
    expect(told.data).toEqual({
      id: expect.stringMatching(/^\d{15,19}$/),
      sale_id: sale.saleId,
      product_id: sale.productId,
      quantity: 1,
      price_minor: 9900,
      currency: "CNY",
      amount_minor: 9900,
      state: "reserved",
      accepted_at: "2030-01-01T12:00:00.000Z",
      pay_by: "2030-01-01T12:01:00.000Z",
      metadata: { size: "M", n: [1, 2] },
    });
    expect(await stock()).toEqual({ issued: 2, available: 1, held: 1, sold: 0, withdrawn: 0, planned: 2 });
  });

  test("needs no body, and takes one without Content-Length", async () => {
    expect((await buy()).data["quantity"]).toBe(1);
    const streamed = new Response('{"quantity": 1}').body ?? undefined;
    expect((await buy({ raw: streamed })).status).toBe(201);
  });

  test("keeps every digit of metadata it does not understand", async () => {
    const told = await buy({ raw: '{"metadata": {"ref": 12345678901234567890.10}}' });
    expect(told.text).toContain('"metadata":{"ref":12345678901234567890.10}');
    const read = await api.ask("GET", `/api/v1/orders/${String(told.data["id"])}`, { key: shopKey });
    expect(read.text).toContain('"metadata":{"ref":12345678901234567890.10}');
  });

  test("may be made by the shop's server in a buyer's name, and is that buyer's", async () => {
    const told = await api.ask("POST", `/api/v1/sales/${sale.saleId}/purchases`, { key: shopKey, userId: "ann" });
    expect(told.status).toBe(201);
    expect((await api.ask("GET", `/api/v1/purchases/${String(told.data["id"])}`, { bearer: token })).status).toBe(200);
  });
});

describe("repeats", () => {
  test("[I8] a hundred parallel posts with one key have one effect and equal bytes", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => buy({ idempotencyKey: "same" })));
    expect(new Set(answers.map((told) => `${told.status} ${told.text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect(answers.filter((told) => told.headers.get("idempotency-replayed") === null)).toHaveLength(1);
    expect(await stock()).toMatchObject({ available: 1, held: 1 });
  });

  test("[I8] the control: without the key, or with keys of their own, each post is a purchase", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => buy({ idempotencyKey: `k${i}` })));
    expect(new Set(answers.map((told) => told.text)).size).toBeGreaterThan(2);
    expect(answers.filter((told) => told.status === 201)).toHaveLength(2);
  });

  test("[I8, I12] an accepted key gets its 201 after the sale has sold out, ended and been cancelled", async () => {
    const first = await buy({ idempotencyKey: "mine" });
    await buy({ bearer: await api.tokenOf("bob") });
    expect((await buy({ bearer: await api.tokenOf("eve") })).data["reason"]).toBe("all_taken");
    const again = async () => {
      const repeat = await buy({ idempotencyKey: "mine" });
      expect([repeat.status, repeat.text, repeat.headers.get("idempotency-replayed")]).toEqual([201, first.text, "true"]);
    };
    await again();
    await api.shop("POST", `/api/v1/orders/${String(first.data["id"])}/cancel`);
    await again();
    api.time.nowMs += 3_700_000;
    token = await api.tokenOf("ann");
    await again();
    await api.shop("POST", `/api/v1/sales/${sale.saleId}/cancel`);
    await again();
  });

  test("[I8] another payload under an accepted key is refused, whitespace is no other payload", async () => {
    await buy({ raw: '{"quantity":1,"metadata":{"a":1}}', idempotencyKey: "k" });
    expect((await buy({ raw: '{ "metadata" : { "a" : 1 } }', idempotencyKey: "k" })).status).toBe(201);
    for (const raw of ['{"quantity":2,"metadata":{"a":1}}', '{"quantity":1}', '{"metadata":{"a":2}}']) {
      const told = await buy({ raw, idempotencyKey: "k" });
      expect([told.status, told.code, told.data["reason"]]).toEqual([422, 1008, "key_reused"]);
    }
  });

  test("two buyers never meet in one key", async () => {
    const first = await buy({ idempotencyKey: "k" });
    const second = await buy({ idempotencyKey: "k", bearer: await api.tokenOf("bob") });
    expect(second.status).toBe(201);
    expect(second.data["id"]).not.toBe(first.data["id"]);
  });
});

describe("refusals", () => {
  const told = (answer: Told) => [answer.status, answer.code, answer.data["reason"]];
  const expectSpoken = (answer: Told) => {
    expect(answer.message).not.toBe("");
    expect(answer.data["todo"]).toBeString();
    expect(answer.headers.get("x-request-id")).toBeString();
  };

  test("not started, with the start and the server's time", async () => {
    const later = await api.openSale({ nowMs: api.time.nowMs, startsIn: 60 });
    const answer = await buy({}, later.saleId);
    expect(told(answer)).toEqual([409, 1001, "not_started"]);
    expect(answer.data).toMatchObject({ starts_at: "2030-01-01T12:01:00.000Z", server_time: "2030-01-01T12:00:00.000Z" });
    expectSpoken(answer);
  });

  test("paused, cancelled and ended, also for whoever was never accepted", async () => {
    const post = (name: string) => api.shop("POST", `/api/v1/sales/${sale.saleId}/${name}`);
    await post("pause");
    expect(told(await buy())).toEqual([409, 1003, "paused"]);
    await post("resume");
    api.time.nowMs += 3_600_000;
    token = await api.tokenOf("ann");
    expect(told(await buy())).toEqual([410, 1002, "ended"]);
    await post("cancel");
    expect(told(await buy())).toEqual([410, 1004, "sale_cancelled"]);
  });

  test("all taken while units may return, sold out when none can", async () => {
    const first = await buy();
    await buy();
    const bob = await api.tokenOf("bob");
    // The first answer loads who was ever accepted, the second comes from memory; both say the same.
    for (let i = 0; i < 3; i++) {
      const answer = await buy({ bearer: bob });
      expect(told(answer)).toEqual([409, 1005, "all_taken"]);
      expect(answer.data).toMatchObject({ held: 2, available: 0 });
    }
    for (const id of [first.data["id"]]) await api.shop("POST", `/api/v1/orders/${String(id)}/cancel`);
    expect((await buy({ bearer: bob })).status).toBe(201);
  });

  test("sold out when all is paid", async () => {
    for (let i = 0; i < 2; i++) {
      const { data } = await buy();
      const paid = { provider: "external", capture_id: `c${i}`, amount_minor: 9900, currency: "CNY" };
      expect((await api.shop("POST", `/api/v1/orders/${String(data["id"])}/payments`, paid)).data["state"]).toBe("captured");
    }
    const answer = await buy({ bearer: await api.tokenOf("bob") });
    expect(told(answer)).toEqual([409, 1006, "sold_out"]);
    expectSpoken(answer);
  });

  test("[I3] the limit, with what the buyer has of it", async () => {
    await buy();
    const answer = await buy({ json: { quantity: 2 } });
    expect(told(answer)).toEqual([409, 1007, "limit_reached"]);
    expect(answer.data).toMatchObject({ limit: 2, held: 1 });
  });

  test("a sale that does not exist, or is still a draft", async () => {
    expect(told(await buy({}, "999"))).toEqual([404, 4041, "sale_unknown"]);
    const { data } = await api.shop("POST", "/api/v1/sales", {
      product_id: sale.productId,
      stock: 1,
      starts_at: "2030-01-02T00:00:00Z",
      ends_at: "2030-01-03T00:00:00Z",
    });
    expect(told(await buy({}, String(data["id"])))).toEqual([404, 4041, "sale_unknown"]);
  });
});

describe("when the ledger cannot", () => {
  class FailingStore extends MemoryStore {
    failure: CommitResult | undefined;
    override async commit(batch: LedgerBatch): Promise<CommitResult> {
      return this.failure ?? super.commit(batch);
    }
  }

  test.each([
    ["storage_full", 503, "storage_full"],
    ["unavailable", 503, "busy"],
    ["bad_line", 500, "internal"],
  ] as const)("%s is answered %p, and tried nothing", async (cause, status, reason) => {
    const store = new FailingStore();
    api = await openMemoryApi({ store });
    sale = await api.openSale({ nowMs: api.time.nowMs });
    token = await api.tokenOf("ann");
    store.failure = { kind: "failed", cause, message: "planted" };
    const answer = await buy();
    expect([answer.status, answer.data["reason"]]).toEqual([status, reason]);
    expect(answer.headers.get("retry-after")).toBe(status === 503 ? "1" : null);
    store.failure = undefined;
    expect((await buy()).status).toBe(201);
  });

  test("a full queue sheds with 503", async () => {
    api = await openMemoryApi({ queueMax: 5 });
    sale = await api.openSale({ nowMs: api.time.nowMs, stock: 100, per_buyer_limit: 100 });
    token = await api.tokenOf("ann");
    const answers = await Promise.all(Array.from({ length: 20 }, () => buy()));
    const shed = answers.filter((answer) => answer.status === 503);
    expect(shed.length).toBeGreaterThan(0);
    expect(shed[0]?.data["reason"]).toBe("busy");
    expect(shed[0]?.headers.get("retry-after")).toBe("1");
    expect(answers.filter((answer) => answer.status === 201).length).toBe(20 - shed.length);
  });
});

test("[PU18] a buyer whom a stalled store cannot write down hears 503 and not nothing; what waits so is not bought later", async () => {
  const store = new MemoryStore();
  let goOn = () => {};
  const stalled = new Promise<void>((resolve) => (goOn = resolve));
  let stalls = false;
  const catalogue = {
    addProduct: store.addProduct,
    updateProduct: store.updateProduct,
    deleteProduct: store.deleteProduct,
    changeInventory: store.changeInventory,
    claimId: store.claimId,
    addSale: store.addSale,
    setQuota: store.setQuota,
    internBuyers: async (...args: Parameters<MemoryStore["internBuyers"]>) => {
      if (stalls) await stalled;
      return store.internBuyers(...args);
    },
  };
  const tasks = new SystemTasks();
  const after = tasks.after.bind(tasks);
  // A hundred times as fast.
  tasks.after = (ms, run) => after(ms / 100, run);
  const slow = await openMemoryApi({ store, catalogue, tasks });
  const { saleId } = await slow.openSale({ nowMs: slow.time.nowMs });
  stalls = true;
  const told = await slow.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "new", idempotencyKey: "k" });
  expect([told.status, told.headers.get("retry-after")]).toEqual([503, "1"]);
  expect((await slow.shop("POST", "/api/v1/tokens", { user_id: "newer" })).status).toBe(503);
  goOn();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(store.tables.purchases.size).toBe(0);
  await slow.close();
});
