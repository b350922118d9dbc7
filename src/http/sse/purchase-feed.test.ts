import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isNewer, type Purchase } from "../../domain/purchase.ts";
import { EventReader } from "../../../tests/kit/event-reader.ts";
import { ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { purchaseId, sampleNowMs, samplePurchase } from "../../../tests/kit/samples.ts";
import { SeededEntropy } from "../../../tests/kit/seeded-entropy.ts";
import { parsePurchaseEventId } from "./frames.ts";
import { PurchaseFeed } from "./purchase-feed.ts";
import { Streams } from "./streams.ts";

let time: ManualTime;
let streams: Streams;
beforeEach(() => {
  time = new ManualTime(sampleNowMs);
  streams = new Streams({ clock: time, tasks: time, entropy: new SeededEntropy(1) }, { streamsMax: 10 });
});

function open() {
  const opening = streams.open({ client: "one", onEnd: () => {} });
  if (opening.kind === "full") throw new Error("no place");
  return { feed: new PurchaseFeed(opening.stream, { streams, clock: time }), reader: new EventReader(opening.stream.body) };
}
const told = async (reader: EventReader) => {
  await turns();
  return reader.events.map(({ event, data }) => (event === "purchase" ? `${String(data["id"])} ${String(data["state"])}` : event));
};
const at = (ms: number, change: Partial<Purchase> = {}) => samplePurchase({ changedAtMs: sampleNowMs + ms, ...change });
const paid = (ms: number, change: Partial<Purchase> = {}) => at(ms, { state: "paid", ...change });

describe("[C5] [LP9] a buyer's stream", () => {
  test("begins with what is open, oldest change first, and then says that it is ready", async () => {
    const { feed, reader } = open();
    const read = [at(3, { id: purchaseId("13") }), paid(2, { id: purchaseId("12") }), at(1, { id: purchaseId("11") })];
    feed.begin(read, undefined);
    expect(await told(reader)).toEqual(["11 reserved", "13 reserved", "ready"]);
    expect(reader.events[0]).toMatchObject({ id: "1500001-11", data: { sale_id: "2", quantity: 1, refunded: false } });
  });

  test("[LP5] who has bought nothing yet can still say since when it knows all", async () => {
    const { feed, reader } = open();
    feed.begin([], undefined);
    await turns();
    const [ready] = reader.events;
    const { feed: again, reader: resumed } = open();
    // Decided before the first reading and committed after it; decided later; long over.
    const read = [paid(-1_000), paid(5, { id: purchaseId("12") }), paid(-999_000, { id: purchaseId("13") })];
    again.begin(read, parsePurchaseEventId(String(ready?.id)));
    expect(await told(resumed)).toEqual(["3 paid", "12 paid", "ready"]);
  });

  test("tells what changed while it was read behind what was read, and nothing twice", async () => {
    const { feed, reader } = open();
    feed.hear(at(0));
    feed.hear(paid(5));
    feed.begin([at(0)], undefined);
    feed.hear(paid(5));
    expect(await told(reader)).toEqual(["3 reserved", "ready", "3 paid"]);
  });

  test("tells no older copy after a newer one that was read", async () => {
    const { feed, reader } = open();
    feed.hear(at(0));
    feed.begin([at(0, { holdUntilMs: sampleNowMs + 999_999 })], undefined);
    feed.hear(at(0));
    expect(await told(reader)).toEqual(["3 reserved", "ready"]);
  });

  test("tells a longer hold and a refund, which leave the time of the last change as it was", async () => {
    const { feed, reader } = open();
    feed.begin([at(0)], undefined);
    feed.hear(at(0, { holdUntilMs: sampleNowMs + 999_999 }));
    feed.hear(paid(0));
    feed.hear(paid(0, { refunded: true }));
    await turns();
    expect(reader.named("purchase").map(({ data }) => [data["state"], data["hold_until"], data["refunded"]])).toEqual([
      ["reserved", "1970-01-01T00:40:00.000Z", false],
      ["reserved", "1970-01-01T00:41:39.999Z", false],
      ["paid", "1970-01-01T00:40:00.000Z", false],
      ["paid", "1970-01-01T00:40:00.000Z", true],
    ]);
  });

  test("grows too long before it begins only for a client that is let go", async () => {
    const { feed, reader } = open();
    for (let i = 0; i <= 1_000; i++) feed.hear(paid(i));
    await turns();
    expect([streams.size, await told(reader)]).toEqual([0, []]);
  });

  const anyCopy = fc.record({
    id: fc.constantFrom("11", "12"),
    ms: fc.integer({ min: 0, max: 3 }),
    state: fc.constantFrom("reserved", "paid", "expired"),
    refunded: fc.boolean(),
  });
  test("never goes backwards and ends with the newest copy, in whatever order they come: 500 random runs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCopy, { maxLength: 12 }), fc.nat(12), async (copies, readAfter) => {
        const { feed, reader } = open();
        const made = copies.map(({ id, ms, state, refunded }) => at(ms, { id: purchaseId(id), state: state as "paid", refunded }));
        for (const purchase of made.slice(0, readAfter)) feed.hear(purchase);
        feed.begin([], undefined);
        for (const purchase of made.slice(readAfter)) feed.hear(purchase);
        await turns(1);
        for (const id of ["11", "12"]) {
          const own = made.filter((purchase) => purchase.id === id);
          const newest = own.reduce<Purchase | undefined>(
            (best, next) => (best === undefined || isNewer(next, best) ? next : best),
            undefined,
          );
          const heard = reader.named("purchase").filter(({ data }) => data["id"] === id);
          expect(heard.at(-1)?.data["state"]).toBe(newest?.state);
          expect(heard.at(-1)?.data["refunded"]).toBe(newest?.refunded);
          const times = heard.map(({ data }) => Date.parse(String(data["changed_at"])));
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        }
        await reader.leave();
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});

describe("[LP5] a buyer who comes again", () => {
  const resumed = async (since: string, read: readonly Purchase[]) => {
    const { feed, reader } = open();
    feed.begin(read, parsePurchaseEventId(since));
    return told(reader);
  };
  const newest = [paid(30, { id: purchaseId("13") }), paid(20, { id: purchaseId("12") }), paid(10, { id: purchaseId("11") })];

  test("hears what changed meanwhile", async () => expect(await resumed("1500010-11", newest)).toEqual(["12 paid", "13 paid", "ready"]));
  test("hears another change of the very same moment", async () =>
    expect(await resumed("1500020-11", newest)).toEqual(["12 paid", "13 paid", "ready"]));
  test("hears what is open, whenever it changed", async () =>
    expect(await resumed("1500030-13", [at(0), ...newest])).toEqual(["3 reserved", "ready"]));
  test("hears a refund, which may be news", async () =>
    expect(await resumed("1500030-13", [paid(0, { refunded: true })])).toEqual(["3 paid", "ready"]));
  test.each(["", "x", "1500010", "-11", "1500010-", "1500010-11-1", "9".repeat(40)])(
    "with %p, which is no id of ours, begins anew",
    async (since) => expect(await resumed(since, newest)).toEqual(["ready"]),
  );
});
