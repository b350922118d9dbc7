import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Sale } from "../../domain/sale.ts";
import { ChangeBoard } from "../../engine/change-board.ts";
import { EventReader, eventsIn } from "../../../tests/kit/event-reader.ts";
import { ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { sampleEndMs, sampleNowMs, sampleSale, sampleStartMs } from "../../../tests/kit/samples.ts";
import { SeededEntropy } from "../../../tests/kit/seeded-entropy.ts";
import { frameGapMs } from "./sale-channel.ts";
import { SaleChannels } from "./sale-channels.ts";
import { stockFrame } from "./frames.ts";
import { Streams } from "./streams.ts";

let time: ManualTime;
let changes: ChangeBoard;
let streams: Streams;
let channels: SaleChannels;
function start(nowMs = sampleNowMs, gapMs?: number): void {
  time = new ManualTime(nowMs);
  changes = new ChangeBoard({ tasks: time, log: { error: (message) => expect(message).toBe("never") } });
  streams = new Streams({ clock: time, tasks: time, entropy: new SeededEntropy(1) }, { streamsMax: 10_000 });
  channels = new SaleChannels({ changes, clock: time, tasks: time, streams, gapMs });
}
beforeEach(() => start());

function join(sale: Sale, knownId?: string) {
  const opening = streams.open({ client: String(streams.size), onEnd: () => channels.leave(sale.id, stream) });
  if (opening.kind === "full") throw new Error("no place");
  const { stream } = opening;
  channels.join(sale, stream, knownId);
  return new EventReader(stream.body);
}
/** A copy in which `sold` of ten units are sold. */
const copy = (feed: number, sold = 0) => sampleSale({ feed, balances: { available: 10 - sold, sold } });
const ids = (reader: EventReader) => reader.named("stock").map(({ id }) => id);

describe("[LP2] a stream of a sale", () => {
  test("begins with the present state", async () => {
    const reader = join(copy(7, 3));
    await turns();
    expect(reader.text).toStartWith("retry: ");
    expect(reader.events).toEqual([
      {
        event: "stock",
        id: "7.live",
        data: {
          sale_id: "2",
          status: "live",
          answer: "on_sale",
          issued: 10,
          available: 7,
          held: 0,
          sold: 3,
          withdrawn: 0,
          starts_at: "1970-01-01T00:16:40.000Z",
          ends_at: "1970-01-01T00:33:20.000Z",
          server_time: "1970-01-01T00:25:00.000Z",
        },
      },
    ]);
  });

  test("tells a change at once after a quiet time, then the last of each half second", async () => {
    const reader = join(copy(1));
    changes.saleChanged(copy(2));
    await turns();
    expect(ids(reader)).toEqual(["1.live", "2.live"]);
    for (let feed = 3; feed <= 40; feed++) {
      changes.saleChanged(copy(feed));
      await time.advance(20);
    }
    await time.advance(frameGapMs);
    // 38 changes in 760 ms: one frame at 500 ms with what was heard by then, one at 1,000 ms with the last of them.
    expect(ids(reader)).toEqual(["1.live", "2.live", "26.live", "40.live"]);
  });

  test("never tells an older copy, and of equal ones the first", async () => {
    const reader = join(copy(5));
    for (const feed of [4, 5, 1]) changes.saleChanged(copy(feed, 9));
    await time.advance(5_000);
    expect(ids(reader)).toEqual(["5.live"]);
  });

  test("who joins gets the newest copy, whichever came first: the one read or the one heard", async () => {
    const first = join(copy(5));
    changes.saleChanged(copy(8));
    await turns();
    const stale = join(copy(6));
    const newer = join(copy(9));
    await turns();
    expect([ids(first), ids(stale), ids(newer)]).toEqual([["5.live", "8.live"], ["8.live"], ["9.live"]]);
    await time.advance(frameGapMs);
    expect([ids(first), ids(stale), ids(newer)]).toEqual([["5.live", "8.live", "9.live"], ["8.live", "9.live"], ["9.live"]]);
  });
});

describe("[LP5] a client that comes again", () => {
  test.each([
    ["with the state it left with, hears a comment only", "7.live", []],
    ["with an older one, hears the present one", "6.live", ["7.live"]],
    ["with the same copy before the start, hears that it has begun", "7.scheduled", ["7.live"]],
    ["with a newer one than there is, hears the present one", "9.live", ["7.live"]],
    ["with anything else, hears the present one", "x\u0000,", ["7.live"]],
  ])("%s", async (_, known, heard) => {
    const reader = join(copy(7), known);
    await turns();
    expect(ids(reader)).toEqual(heard);
    expect(reader.comments).toEqual(heard.length === 0 ? [": nothing new"] : []);
    changes.saleChanged(copy(10));
    await time.advance(frameGapMs);
    expect(ids(reader)).toEqual([...heard, "10.live"]);
  });
});

describe("[LP4] time alone", () => {
  test("opens and ends a sale in the stream, with no commit", async () => {
    start(sampleStartMs - 3_600_000);
    const reader = join(copy(1));
    await time.advance(3_600_000 - 1);
    expect(ids(reader)).toEqual(["1.scheduled"]);
    await time.advance(1);
    await time.advance(sampleEndMs - sampleStartMs);
    expect(reader.named("stock").map(({ id, data }) => [id, data["answer"], data["server_time"]])).toEqual([
      ["1.scheduled", "not_started", new Date(sampleStartMs - 3_600_000).toISOString()],
      ["1.live", "on_sale", new Date(sampleStartMs).toISOString()],
      ["1.ended", "ended", new Date(sampleEndMs).toISOString()],
    ]);
    expect(time.timers).toBe(1);
  });

  test("does so where an extension moved the end", async () => {
    start(sampleEndMs - 10_000);
    const reader = join(copy(1));
    changes.saleChanged({ ...copy(2), endsAtMs: sampleEndMs + 10_000 });
    await time.advance(15_000);
    expect(ids(reader)).toEqual(["1.live", "2.live"]);
    await time.advance(5_000);
    expect(ids(reader)).toEqual(["1.live", "2.live", "2.ended"]);
  });

  test("tells a draft's publishing, and nothing of a cancelled sale's window", async () => {
    const reader = join(sampleSale({ phase: "draft", feed: 1 }));
    changes.saleChanged(sampleSale({ phase: "published", feed: 2 }));
    await time.advance(1_000);
    changes.saleChanged(sampleSale({ phase: "cancelled", feed: 3 }));
    await time.advance(sampleEndMs);
    expect(ids(reader)).toEqual(["1.draft", "2.live", "3.cancelled"]);
  });
});

describe("[LP3] everybody", () => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 400 }), changes: fc.integer({ min: 0, max: 3 }) });
  const property = (gapMs?: number) =>
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      start(sampleNowMs, gapMs);
      const readers = [join(copy(1)), join(copy(1)), join(copy(1))];
      let feed = 1;
      for (const { waitMs, changes: count } of steps) {
        for (let i = 0; i < count; i++) changes.saleChanged(copy(++feed));
        await time.advance(waitMs);
      }
      await time.advance(2 * frameGapMs);
      const [first, ...others] = readers.map((reader) => reader.text.replace(/^retry: \d+\n\n/, ""));
      for (const other of others) expect(other).toBe(first ?? "");
      const told = eventsIn(first ?? "");
      expect(told.at(-1)?.id).toBe(`${feed}.live`);
      // The first is the answer to joining; the second may follow it at once.
      const times = told.slice(1).map(({ data }) => Date.parse(String(data["server_time"])));
      for (const [i, ms] of times.entries()) if (i > 0) expect(ms - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(frameGapMs);
    });

  test("hears the same bytes, at most two frames a second, and the last state: 200 random runs", async () => {
    await fc.assert(property(), { numRuns: 200 });
  }, 60_000);

  test("control: a channel that forgets the gap is caught by the same runs", async () => {
    expect((await fc.check(property(100), { numRuns: 200 })).failed).toBe(true);
  }, 60_000);

  test("is written to in slices, and the last state reaches 2,000 clients", async () => {
    const readers = Array.from({ length: 2_000 }, () => join(copy(1)));
    changes.saleChanged(copy(2));
    await turns(2);
    changes.saleChanged(copy(3));
    await turns(10);
    await time.advance(frameGapMs);
    await turns(10);
    expect(new Set(readers.map((reader) => ids(reader).join()))).toEqual(new Set(["1.live,2.live,3.live"]));
  });

  test("a frame is made once, however many hear it", async () => {
    const members = Array.from({ length: 50 }, () => join(copy(1)));
    const sent: Uint8Array[] = [];
    const tell = streams.tell.bind(streams);
    streams.tell = (stream, frame) => (sent.push(frame), tell(stream, frame));
    changes.saleChanged(copy(2));
    await time.advance(1);
    expect([sent.length, new Set(sent).size]).toEqual([members.length, 1]);
  });
});

test("[LP14] the last to leave takes the channel, its listener and its timers along", async () => {
  start(sampleStartMs - 1_000);
  const readers = [join(copy(1)), join(copy(1))];
  await turns();
  await readers[0]?.leave();
  expect([channels.size, changes.watched]).toEqual([1, 1]);
  await readers[1]?.leave();
  expect([channels.size, changes.watched, time.timers, streams.size]).toEqual([0, 0, 0, 0]);
});

test("[LP15] a frame holds numbers of the sale and nothing of anybody", () => {
  const data = JSON.parse(/data: (.*)/.exec(new TextDecoder().decode(stockFrame(copy(1), sampleNowMs)))?.[1] ?? "");
  expect(Object.keys(data).toSorted()).toEqual(
    ["sale_id", "status", "answer", "issued", "available", "held", "sold", "withdrawn", "starts_at", "ends_at", "server_time"].toSorted(),
  );
});
