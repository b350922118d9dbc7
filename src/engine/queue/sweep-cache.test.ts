import { expect, test } from "bun:test";
import { eventually } from "../../../tests/kit/manual-time.ts";
import { withShop } from "../../../tests/kit/queued-shop.ts";
import { saleId } from "../../../tests/kit/samples.ts";
import { sweepCache } from "./sweep-cache.ts";

test("[QE6] what the cache did not remove when a scope ended, or an epoch was over, is removed later; what stands stays", () =>
  withShop(async (shop) => {
    const api = shop.process();
    const [ended, reopened] = [await shop.sale(api, {}, "700"), await shop.sale(api, {}, "701")];
    shop.redis.fate = (call) => (call === "drop" ? "refused" : "done");
    shop.store.commitNow({
      nowMs: shop.time.nowMs(),
      groups: [{ saleId: ended, movements: [{ kind: "switch", change: { kind: "cancel_sale" } }] }],
    });
    for (const scopeId of [ended, reopened]) await shop.ledger.close({ scopeId, epoch: 1, cause: "operator" });
    const is = (id: typeof ended, state: string) => shop.store.tables.scopes.get(id)?.state === state;
    await eventually(() => is(ended, "closed") && is(reopened, "open"), "both scopes to be cut");
    await shop.settle();
    // Of a store that shares the cache, which nobody should do.
    const foreign = { scopeId: saleId("999"), epoch: 7 };
    shop.redis.server.epochs.set("999 7", { ...shop.redis.server.epochs.get("701 2"), ...foreign } as never);
    const names = () => [...shop.redis.server.epochs.keys()].toSorted();
    expect(names()).toEqual(["700 1", "701 1", "701 2", "999 7"]);
    expect(await sweepCache({ ledger: shop.ledger, cache: shop.redis })).toBe(0);
    shop.redis.fate = () => "done";
    expect(await sweepCache({ ledger: shop.ledger, cache: shop.redis })).toBe(2);
    expect(names()).toEqual(["701 2", "999 7"]);
  }));
