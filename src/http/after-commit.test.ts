/** A change that is durable is never answered as if nothing had been tried, whatever fails afterwards. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { MemoryStore } from "../adapters/memory/memory-store.ts";
import { openMemoryApi, shopKey, type MemoryApi } from "../../tests/harness/memory-api.ts";

let api: MemoryApi;
let failing: string | undefined;
let orderId: string;

/** Fails the reads of one name as long as a test wishes. */
function moody(store: MemoryStore): MemoryStore {
  const fail = () => Promise.reject(new StoreUnavailable("unavailable", "planted"));
  return new Proxy(store, { get: (target, name) => (name === failing ? fail : Reflect.get(target, name)) });
}

beforeEach(async () => {
  failing = undefined;
  const store = new MemoryStore();
  api = await openMemoryApi({ store, records: moody(store) });
  const { saleId } = await api.openSale({ nowMs: api.time.nowMs });
  const bought = await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "ann" });
  orderId = String(bought.data["id"]);
});
afterEach(() => api.close());

test("[PU20] a cancellation whose order cannot be read back is unknown, and its repeat finds it done", async () => {
  failing = "paymentsOf";
  const path = `/api/v1/orders/${orderId}/cancel`;
  const first = await api.ask("POST", path, { key: shopKey, userId: "ann", json: {} });
  expect([first.status, first.data["reason"]]).toEqual([504, "outcome_unknown"]);
  failing = undefined;
  const second = await api.ask("POST", path, { key: shopKey, userId: "ann", json: {} });
  expect([second.status, second.data["state"]]).toEqual([200, "cancelled"]);
});

test("[PU20] an external payment that cannot be read back is unknown, and its repeat finds it done", async () => {
  const json = { provider: "external", capture_id: "c-1", amount_minor: 9900, currency: "CNY" };
  failing = "payment";
  const first = await api.shop("POST", `/api/v1/orders/${orderId}/payments`, json);
  expect([first.status, first.data["reason"]]).toEqual([504, "outcome_unknown"]);
  failing = undefined;
  expect((await api.shop("POST", `/api/v1/orders/${orderId}/payments`, json)).data["state"]).toBe("captured");
});
