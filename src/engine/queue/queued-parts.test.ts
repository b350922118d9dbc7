import { expect, test } from "bun:test";
import { withShop } from "../../../tests/kit/queued-shop.ts";

test("a process counts what it did between cache, broker and ledger, each by its name", () =>
  withShop(async (shop) => {
    const process = shop.process();
    const sale = await shop.sale(process, { stock: 3 });
    const [ann, bob] = [shop.buyer("ann"), shop.buyer("bob")];
    const before = process.stats().events;
    const gained = () =>
      Object.fromEntries(Object.entries(process.stats().events).map(([name, value]) => [name, value - (before[name] ?? 0)]));
    await shop.buy(process, sale, { buyer: ann, key: "a" });
    await shop.buy(process, sale, { buyer: ann, key: "a" });
    await shop.buy(process, sale, { buyer: bob });
    await process.rest();
    expect(gained()).toMatchObject({ message_published: 2, line_settled: 2, line_repeated: 0, line_parked: 0, cache_lost: 0 });
    expect(process.stats()).toMatchObject({ unconfirmed: 0, brokerOpen: true });

    shop.redis.flush();
    await shop.buy(process, sale, { buyer: bob });
    await process.rest();
    expect(gained()).toMatchObject({ cache_lost: 1, scope_cut: 1, scope_opened: 1, line_settled: 2 });
  }));
