import { describe, expect, test } from "bun:test";
import type { StreamEvent } from "./event-reader.ts";
import { SharedStream, type Channel, type Listening, type Locks } from "./one-stream.ts";

/** A browser: its locks, and a channel between its tabs. */
function browser() {
  const channels: Channel[] = [];
  const held = new Map<string, Promise<void>>();
  const channel = (): Channel => {
    const made: Channel = {
      onmessage: null,
      close: () => void channels.splice(channels.indexOf(made), 1),
      postMessage: (data) => channels.filter((each) => each !== made).forEach((each) => each.onmessage?.({ data } as MessageEvent)),
    };
    channels.push(made);
    return made;
  };
  const request = async (name: string, { signal }: { signal: AbortSignal }, run: () => Promise<void>) => {
    const before = held.get(name) ?? Promise.resolve();
    const mine = Promise.withResolvers<void>();
    held.set(
      name,
      before.then(() => mine.promise),
    );
    await before;
    try {
      if (signal.aborted) throw signal.reason;
      await run();
    } finally {
      mine.resolve();
    }
  };
  const locks = { request } as unknown as Locks;
  const opened: { readonly tab: string; tell: (data: string) => void }[] = [];
  const tab = (name: string, withLocks = true) => {
    const heard: string[] = [];
    const stream = new SharedStream({
      name: "sale.1",
      wordOf: ({ name: word }) => word,
      onEvent: ({ data }) => heard.push(data),
      onHearing: () => {},
      locks: withLocks ? locks : undefined,
      channel: withLocks ? channel() : undefined,
      make: ({ onEvent }): Listening => {
        const own = { tab: name, tell: (data: string) => onEvent({ name: "stock", data } satisfies StreamEvent) };
        return {
          start: () => void opened.push(own),
          stop: () => void (opened.includes(own) && opened.splice(opened.indexOf(own), 1)),
          wake: () => {},
        };
      },
    });
    return { stream, heard };
  };
  const settle = async () => {
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  };
  return { tab, opened, settle };
}

describe("[SF8] tabs of one browser", () => {
  test("have one stream together, and hear the same", async () => {
    const { tab, opened, settle } = browser();
    const [a, b, c] = [tab("a"), tab("b"), tab("c")];
    for (const { stream } of [a, b, c]) stream.join();
    await settle();
    expect(opened.map(({ tab: name }) => name)).toEqual(["a"]);
    opened[0]?.tell("1");
    expect([a.heard, b.heard, c.heard]).toEqual([["1"], ["1"], ["1"]]);
  });

  test("a tab that comes later is told the last word at once", async () => {
    const { tab, opened, settle } = browser();
    const a = tab("a");
    a.stream.join();
    await settle();
    opened[0]?.tell("1");
    opened[0]?.tell("2");
    const b = tab("b");
    b.stream.join();
    await settle();
    expect([b.heard, opened.length]).toEqual([["2"], 1]);
  });

  test("when the one that listens leaves, another takes over; one that nobody looks at does not", async () => {
    const { tab, opened, settle } = browser();
    const [a, b, c] = [tab("a"), tab("b"), tab("c")];
    for (const { stream } of [a, b, c]) stream.join();
    await settle();
    b.stream.part();
    a.stream.close();
    await settle();
    expect(opened.map(({ tab: name }) => name)).toEqual(["c"]);
    b.stream.join();
    await settle();
    opened[0]?.tell("3");
    expect([b.heard, c.heard, a.heard]).toEqual([["3"], ["3"], []]);
  });

  test("the control: without locks each tab has its own", async () => {
    const { tab, opened, settle } = browser();
    for (const name of ["a", "b"]) tab(name, false).stream.join();
    await settle();
    expect(opened).toHaveLength(2);
  });
});
