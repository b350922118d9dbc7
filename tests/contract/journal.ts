/**
 * The contract of a broker that carries lines. What goes wrong between it and a process is the fixture's to bring about: a
 * model that permits less of it than the server does fails here.
 */
import { describe, expect, test } from "bun:test";
import type { Delivery, Journal, JournalSource } from "../../src/ports/journal.ts";

export type Connected = { readonly journal: Journal; readonly source: JournalSource; close(): Promise<void> };

export interface JournalFixture {
  /** Another process's connection to the broker. */
  connect(): Promise<Connected>;
  /** The process dies: what it holds goes back, and nothing that it says is heard any more. */
  cutOff(process: Connected): Promise<void>;
  /** The broker is killed and comes back. */
  restart(): Promise<void>;
  /** The broker does not answer until this is called. */
  stop(): Promise<() => Promise<void>>;
  /** The first process's next message is taken, and its confirm is lost; so are all until this is called. */
  loseConfirm(): Promise<() => Promise<void>>;
  /** The broker is short of memory until this is called. */
  block(): Promise<() => Promise<void>>;
  /** The broker closes the channels by which partitions are read; connections stay. */
  closeChannels(): Promise<void>;
  /** An operator takes the partition's queue away, with all that is in it. */
  takeAway(partition: number): Promise<void>;
  close(): Promise<void>;
}

const partition = 1;
const patienceMs = 30_000;

/** A reader that keeps what it gets, and acknowledges what it is told to. */
function reading(source: JournalSource, { acknowledges = () => true, at = partition, waits }: ReadingOptions = {}) {
  const got: { text: string; redelivered: boolean }[] = [];
  let calls = 0;
  const reader = source.read(at, async (deliveries: readonly Delivery[]) => {
    calls += 1;
    for (const { text, redelivered, acknowledge } of deliveries) {
      got.push({ text, redelivered });
      await waits?.();
      if (!acknowledges(text)) return;
      acknowledge();
    }
  });
  return { reader, got, calls: () => calls, texts: () => got.map(({ text }) => text) };
}
type ReadingOptions = {
  readonly acknowledges?: (text: string) => boolean;
  readonly at?: number;
  readonly waits?: () => Promise<void>;
};

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited ${patienceMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Publishes until it is confirmed. */
async function surely({ journal }: Connected, text: string, at = partition): Promise<void> {
  for (let tries = 0; !(await journal.publish(at, text)); tries++) {
    if (tries > 300) throw new Error("the broker never confirmed");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `message ${i}`);

type Case = { readonly rule: string; readonly title: string; readonly run: (fixture: JournalFixture, own: Connected) => Promise<void> };

const cases: readonly Case[] = [
  {
    rule: "QM1",
    title: "messages of a partition come in the order in which they were published, each once when nothing fails",
    run: async (_, own) => {
      await Promise.all(numbered(300).map((text) => own.journal.publish(partition, text)));
      const { texts, reader, got } = reading(own.source);
      await until(() => got.length >= 300, "all messages");
      expect(texts()).toEqual(numbered(300));
      expect(got.some(({ redelivered }) => redelivered)).toBe(false);
      await reader.stop();
    },
  },
  {
    rule: "QM1",
    title: "partitions do not wait for one another",
    run: async (_, own) => {
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      await surely(own, "held", 0);
      await surely(own, "free", 2);
      const slow = reading(own.source, { at: 0, waits: () => held });
      const quick = reading(own.source, { at: 2 });
      await until(() => quick.got.length === 1, "the other partition's message");
      release();
      await until(() => slow.got.length === 1, "the held message");
      await Promise.all([slow.reader.stop(), quick.reader.stop()]);
    },
  },
  {
    rule: "QM2",
    title: "what a handler fails at comes again with all behind it; what it does later acknowledges none of it",
    run: async (_, own) => {
      let fails = true;
      const { got, texts, reader } = reading(own.source, {
        waits: async () => {
          if (!fails || got.at(-1)?.text !== "message 3") return;
          fails = false;
          throw new Error("a planted failure");
        },
      });
      await Promise.all(numbered(6).map((text) => own.journal.publish(partition, text)));
      await until(() => !fails, "the failure");
      await surely(own, "another");
      await until(() => texts().filter((text) => text === "message 3").length > 1 && texts().at(-1) === "another", "all of it again");
      const again = texts().slice(texts().lastIndexOf("message 3"));
      expect(again).toEqual(["message 3", "message 4", "message 5", "another"]);
      await reader.stop();
    },
  },
  {
    rule: "QM2",
    title: "one reader at a time has a partition; when it goes, what it left comes to the next one, first and in order",
    run: async (fixture, own) => {
      const other = await fixture.connect();
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      let isStopping = false;
      const first = reading(own.source, {
        acknowledges: (text) => text === "message 0",
        waits: () => (isStopping ? Promise.resolve() : first.got.length > 1 ? held : Promise.resolve()),
      });
      for (const text of numbered(5)) await surely(other, text);
      await until(() => first.texts().includes("message 1"), "a message that is not acknowledged");
      const second = reading(other.source);
      // Long enough for a broker that would share them out.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(second.got).toEqual([]);
      isStopping = true;
      const stopped = first.reader.stop();
      release();
      await stopped;
      await until(() => second.got.length >= 4, "what was left");
      expect(second.texts()).toEqual(numbered(5).slice(1));
      expect(second.got[0]?.redelivered).toBe(true);
      await second.reader.stop();
      await other.close();
    },
  },
  {
    rule: "QM2",
    title: "what a process held when it died comes again, and its acknowledgement says nothing any more",
    run: async (fixture, own) => {
      const doomed = await fixture.connect();
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      const first = reading(doomed.source, { waits: () => held });
      await surely(own, "message 0");
      await until(() => first.got.length === 1, "the delivery");
      await fixture.cutOff(doomed);
      release();
      const second = reading(own.source);
      await until(() => second.got.length === 1, "the delivery to the other");
      expect(second.got[0]).toEqual({ text: "message 0", redelivered: true });
      await second.reader.stop();
    },
  },
  {
    rule: "QM2",
    title: "what a reader leaves comes to it again, before what stands behind it",
    run: async (_, own) => {
      for (const text of numbered(3)) await surely(own, text);
      let left = 1;
      const { texts, got, reader } = reading(own.source, { acknowledges: (text) => text !== "message 1" || left-- <= 0 });
      await until(() => texts().includes("message 2"), "the last message");
      expect(texts()).toEqual(["message 0", "message 1", "message 1", "message 2"]);
      expect(got[2]?.redelivered).toBe(true);
      await reader.stop();
    },
  },
  {
    rule: "QM5",
    title: "a reader whose channel the broker closes, while the connection stays, reads on",
    run: async (fixture, own) => {
      let release = () => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      const { texts, got, reader } = reading(own.source, { waits: () => held });
      await surely(own, "message 0");
      await until(() => got.length === 1, "the delivery");
      await fixture.closeChannels();
      // Its acknowledgement comes too late.
      release();
      for (const text of numbered(4).slice(1)) await surely(own, text);
      await until(() => texts().includes("message 3"), "what came after the channel's end");
      expect(texts()).toEqual(["message 0", ...numbered(4)]);
      expect(got[1]?.redelivered).toBe(true);
      // Nor is it the last time.
      await fixture.closeChannels();
      await surely(own, "message 4");
      await until(() => texts().includes("message 4"), "what came after another channel's end");
      await reader.stop();
    },
  },
  {
    rule: "QM5",
    title: "a reader whose queue is taken away reads the one that is made anew",
    run: async (fixture, own) => {
      const { texts, got, reader } = reading(own.source);
      await surely(own, "message 0");
      await until(() => got.length === 1, "the delivery");
      await fixture.takeAway(partition);
      await surely(own, "message 1");
      await until(() => texts().includes("message 1"), "what was published into the new queue");
      await reader.stop();
    },
  },
  {
    rule: "QM5",
    title: "what is published into a queue that was taken away is not told as confirmed, and the queue is made anew",
    run: async (fixture, own) => {
      await surely(own, "message 0");
      await fixture.takeAway(partition);
      expect(await own.journal.publish(partition, "message 1")).toBe(false);
      await until(() => own.journal.isOpen, "the new queue");
      await surely(own, "message 2");
      const { texts, got, reader } = reading(own.source);
      await until(() => got.length === 1, "the delivery");
      expect(texts()).toEqual(["message 2"]);
      await reader.stop();
    },
  },
  {
    rule: "QM3",
    title: "what was confirmed outlives the broker's death",
    run: async (fixture, own) => {
      for (const text of numbered(20)) await surely(own, text);
      await fixture.restart();
      const { texts, got, reader } = reading(own.source);
      await until(() => got.length >= 20, "what was confirmed");
      expect(texts()).toEqual(numbered(20));
      await reader.stop();
    },
  },
  {
    rule: "QM3",
    title: "a confirm that is lost is not told as one, although the message is there",
    run: async (fixture, own) => {
      const heal = await fixture.loseConfirm();
      expect(await own.journal.publish(partition, "message 0")).toBe(false);
      await heal();
      await surely(own, "message 1");
      const { texts, got, reader } = reading(own.source);
      await until(() => got.length >= 2, "both");
      expect(texts()).toEqual(numbered(2));
      await reader.stop();
    },
  },
  {
    rule: "QM3",
    title: "a broker that does not answer confirms nothing, and takes messages again when it does",
    run: async (fixture, own) => {
      const goOn = await fixture.stop();
      const publishing = own.journal.publish(partition, "message 0");
      expect(await publishing).toBe(false);
      await goOn();
      await surely(own, "message 1");
      const { texts, reader } = reading(own.source);
      await until(() => texts().includes("message 1"), "the later message");
      await reader.stop();
    },
  },
  {
    rule: "QM4",
    title: "it says when messages are not taken: a broker short of memory, or away",
    run: async (fixture, own) => {
      await surely(own, "message 0");
      expect(own.journal.isOpen).toBe(true);
      const unblock = await fixture.block();
      // A broker says so to who publishes.
      void own.journal.publish(partition, "message 1");
      await until(() => !own.journal.isOpen, "the word that it is short of memory");
      await unblock();
      await until(() => own.journal.isOpen, "the word that it is not");
      const goOn = await fixture.stop();
      await until(() => !own.journal.isOpen, "the loss of the broker");
      await goOn();
      await until(() => own.journal.isOpen, "the broker");
    },
  },
  {
    rule: "QM6",
    title: "what is published again and again while the broker takes nothing is there once",
    run: async (fixture, own) => {
      const unblock = await fixture.block();
      let tries = 0;
      const publishing = numbered(20).map(async (text) => {
        while (!(await own.journal.publish(partition, text))) {
          tries += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      });
      await until(() => !own.journal.isOpen && tries >= 100, "many tries in vain");
      await unblock();
      await Promise.all(publishing);
      await surely(own, "the last");
      const { texts, reader } = reading(own.source);
      await until(() => texts().includes("the last"), "all messages");
      expect(texts().toSorted()).toEqual([...numbered(20), "the last"].toSorted());
      await reader.stop();
    },
  },
];

export function journalContract(name: string, open: () => Promise<JournalFixture>, lacks: Readonly<Record<string, string>> = {}): void {
  describe(name, () => {
    for (const { rule, title, run } of cases) {
      const reason = lacks[title];
      test.skipIf(reason !== undefined)(
        `[${rule}] ${title}${reason === undefined ? "" : ` (${reason})`}`,
        async () => {
          const fixture = await open();
          try {
            const own = await fixture.connect();
            await run(fixture, own);
            await own.close();
          } finally {
            await fixture.close();
          }
        },
        90_000,
      );
    }
  });
}
