import { beforeEach, describe, expect, test } from "bun:test";
import { EventReader } from "../../../tests/kit/event-reader.ts";
import { ManualTime, turns } from "../../../tests/kit/manual-time.ts";
import { buyerId } from "../../../tests/kit/samples.ts";
import { SeededEntropy } from "../../../tests/kit/seeded-entropy.ts";
import { backlogBytesMax, EventStream, type StreamEnd } from "./event-stream.ts";
import { heartbeatFrame, retryMinMs, retryMs, retrySpreadMs } from "./frames.ts";
import { heartbeatMs, Streams, streamsPerBuyerMax, streamsPerClientMax, type StreamAsk } from "./streams.ts";

const startMs = Date.UTC(2030, 0, 1);
let time: ManualTime;
let streams: Streams;
beforeEach(() => {
  time = new ManualTime(startMs);
  streams = new Streams({ clock: time, tasks: time, entropy: new SeededEntropy(1) }, { streamsMax: 120 });
});

const ask = (change: Partial<StreamAsk> = {}): StreamAsk => ({ client: "203.0.113.9", onEnd: () => {}, ...change });
function open(change: Partial<StreamAsk> = {}): EventStream {
  const opening = streams.open(ask(change));
  if (opening.kind === "full") throw new Error(`no place: ${opening.of}`);
  return opening.stream;
}
const bytes = (length: number) => new Uint8Array(length).fill(58);

describe("[LP7] places", () => {
  test(`a buyer has ${streamsPerBuyerMax}, from wherever; one given back is free again`, () => {
    const opened = Array.from({ length: streamsPerBuyerMax }, (_, i) => open({ buyerId: buyerId(1), client: `198.51.100.${i}` }));
    expect(streams.open(ask({ buyerId: buyerId(1), client: "192.0.2.1" }))).toEqual({ kind: "full", of: "buyer", max: 3 });
    expect(streams.open(ask({ buyerId: buyerId(2) })).kind).toBe("open");
    opened[0]?.leave();
    opened[0]?.leave();
    expect(streams.open(ask({ buyerId: buyerId(1) })).kind).toBe("open");
    expect(streams.open(ask({ buyerId: buyerId(1) })).kind).toBe("full");
  });

  test(`a client has ${streamsPerClientMax}, the server its own number`, () => {
    for (let i = 0; i < streamsPerClientMax; i++) open();
    expect(streams.open(ask())).toEqual({ kind: "full", of: "client", max: 50 });
    for (let i = 0; i < 70; i++) open({ client: `198.51.100.${i}` });
    expect(streams.open(ask({ client: "192.0.2.1" }))).toEqual({ kind: "full", of: "server", max: 120 });
    expect(streams.counts.refused).toBe(2);
  });

  test("a refused one takes nothing", () => {
    for (let i = 0; i < streamsPerBuyerMax; i++) open({ buyerId: buyerId(1) });
    const before = [streams.size, streams.holders];
    streams.open(ask({ buyerId: buyerId(1), client: "192.0.2.1" }));
    expect([streams.size, streams.holders]).toEqual(before);
  });
});

describe("[LP14] leaving", () => {
  test.each([
    ["by cancelling the body", (stream: EventStream) => stream.body.cancel()],
    ["before anybody read the body", (stream: EventStream) => stream.leave()],
    ["by our last word", (stream: EventStream) => stream.end(bytes(4))],
    ["by lagging", (stream: EventStream) => stream.send(bytes(backlogBytesMax + 1))],
  ])("%s gives everything back, once", async (_, leave) => {
    let ended = 0;
    const stream = open({ buyerId: buyerId(1), onEnd: () => void ended++ });
    await leave(stream);
    stream.leave();
    stream.send(bytes(1));
    await turns();
    expect([streams.size, streams.holders, time.timers, ended, stream.isOpen]).toEqual([0, 0, 0, 1, false]);
  });

  test("by the request's own signal, also one that was aborted before", () => {
    const controller = new AbortController();
    open({ signal: controller.signal });
    controller.abort();
    expect(streams.size).toBe(0);
    open({ signal: controller.signal });
    expect([streams.size, time.timers]).toEqual([0, 0]);
  });

  test("1,000 times leaves nothing behind", async () => {
    for (let i = 0; i < 1_000; i++) await open({ buyerId: buyerId(1 + (i % 7)), client: `198.51.100.${i % 250}` }).body.cancel();
    expect([streams.size, streams.holders, time.timers]).toEqual([0, 0, 0]);
  });
});

describe("[LP6] a client that does not read", () => {
  const ends: StreamEnd[] = [];
  const cuts: string[] = [];
  const lagging = () =>
    new EventStream({ socket: { holdOpen: () => {}, cutOff: () => void cuts.push("cut") }, onEnd: (end) => void ends.push(end) });
  beforeEach(() => void (ends.splice(0), cuts.splice(0)));

  test(`is cut at ${backlogBytesMax} bytes, and nothing more is kept for it`, () => {
    const stream = lagging();
    for (let i = 0; i < 64; i++) stream.send(bytes(1024));
    expect([stream.backlogBytes, ends, cuts]).toEqual([backlogBytesMax, [], []]);
    for (let i = 0; i < 10; i++) stream.send(bytes(1024));
    expect([ends, cuts]).toEqual([["lagged"], ["cut"]]);
  });

  test("is not cut as long as it takes what it is sent", async () => {
    const stream = lagging();
    const reader = new EventReader(stream.body);
    for (let i = 0; i < 200; i++) {
      stream.send(bytes(1024));
      await turns(1);
    }
    expect([reader.text.length, ends]).toEqual([200 * 1024, []]);
  });

  test("is counted", () => {
    open().send(bytes(backlogBytesMax));
    expect(streams.counts.lagged).toBe(1);
  });
});

describe("[LP8] a stream that has nothing to say", () => {
  test(`sends a comment with the time before ${heartbeatMs / 1000} s are over, by one timer for all`, async () => {
    const readers = [open(), open()].map((stream) => new EventReader(stream.body));
    expect(time.timers).toBe(1);
    await time.advance(heartbeatMs);
    for (const { comments } of readers) expect(comments).toEqual([": 2030-01-01T00:00:14.000Z"]);
    await time.advance(60_000);
    for (const { comments } of readers) expect(comments.length).toBeGreaterThanOrEqual(5);
  });

  test("is not quiet while it speaks", async () => {
    const stream = open();
    const reader = new EventReader(stream.body);
    for (let i = 0; i < 6; i++) {
      await time.advance(10_000);
      streams.tell(stream, heartbeatFrame(0));
      await turns();
    }
    expect(reader.comments).toEqual(Array.from({ length: 6 }, () => ": 1970-01-01T00:00:00.000Z"));
  });

  test("says first when to come again: spread so that no second sees more than a fifth of 1,000 clients", () => {
    const entropy = new SeededEntropy(7);
    const perSecond = new Map<number, number>();
    for (let i = 0; i < 1_000; i++) {
      const ms = retryMs(entropy.random());
      expect(ms).toBeWithin(retryMinMs, retryMinMs + retrySpreadMs);
      // The fullest window of a second, wherever it begins, is at most two neighbouring halves.
      for (const half of [Math.floor(ms / 500), Math.floor(ms / 500) - 1]) perSecond.set(half, (perSecond.get(half) ?? 0) + 1);
    }
    expect(Math.max(...perSecond.values())).toBeLessThan(200);
  });
});

describe("[LP10] who may not hear any more", () => {
  test("is told so and let go, within a second", async () => {
    let may = true;
    const reader = new EventReader(open({ mayStay: () => may }).body);
    const other = new EventReader(open().body);
    await time.advance(5_000);
    may = false;
    await time.advance(1_000);
    expect(reader.events).toEqual([{ event: "auth_expired", id: undefined, data: { reason: "unauthenticated" } }]);
    expect([reader.isOver, other.isOver, streams.size]).toEqual([true, false, 1]);
  });

  test("hears not one word more", async () => {
    const stream = open({ mayStay: (nowMs) => nowMs < startMs + 500 });
    const reader = new EventReader(stream.body);
    expect(streams.mayHear(stream)).toBe(true);
    await time.advance(600);
    expect(streams.mayHear(stream)).toBe(false);
    await turns();
    expect(reader.events.map(({ event }) => event)).toEqual(["auth_expired"]);
  });
});

test("[LP13] stopping tells everybody, and nobody is left", async () => {
  const readers = Array.from({ length: 5 }, () => new EventReader(open().body));
  streams.endAll();
  await turns();
  for (const reader of readers) expect([reader.events.map(({ event }) => event), reader.isOver]).toEqual([["draining"], true]);
  expect([streams.size, streams.holders, time.timers]).toEqual([0, 0, 0]);
});
