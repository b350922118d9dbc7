import { describe, expect, test } from "bun:test";
import type { MemoryQueueLedger } from "../../src/adapters/memory/memory-queue-ledger.ts";
import type { QueueLedger } from "../../src/ports/queue-ledger.ts";
import { must } from "../kit/samples.ts";
import { openMemoryQueueLedger } from "./queue-ledger-fixtures.ts";
import { queueLedgerCases, queueLedgerContract, runQueueLedgerCase } from "./queue-ledger.ts";

queueLedgerContract("the memory store", { open: () => openMemoryQueueLedger() });

type Bug = readonly [rule: string, what: string, plant: (ledger: MemoryQueueLedger) => Partial<QueueLedger>];
const bugs: readonly Bug[] = [
  [
    "QL3",
    "an old epoch closes what stands",
    (ledger) => {
      const { close } = ledger;
      return { close: async (ask) => close({ ...ask, epoch: (await ledger.scope(ask.scopeId))?.epoch ?? 0 }) };
    },
  ],
  ["QL3", "nobody is waited for", () => ({ isDrained: async () => true })],
  ["QL3", "marks of any closing count", (ledger) => marksOfAnyClosing(ledger)],
  [
    "QL3",
    "who lost the lease cuts",
    (ledger) => {
      const cut = ledger.cut.bind(ledger);
      return { cut: (ask) => cut({ ...ask, fence: undefined }) };
    },
  ],
  [
    "QL3",
    "whoever loaded anything opens",
    (ledger) => {
      const opened = ledger.opened.bind(ledger);
      return { opened: async (ask) => opened({ ...ask, epoch: (await ledger.scope(ask.scopeId))?.epoch ?? 0 }) };
    },
  ],
  [
    "QL4",
    "the feed begins anew each time",
    (ledger) => {
      const feedAfter = ledger.feedAfter.bind(ledger);
      return { feedAfter: (ask) => feedAfter({ ...ask, number: 0 }) };
    },
  ],
  [
    "QL7",
    "what cuts counted may be dealt with by who saw it before",
    (ledger) => {
      const unbury = ledger.unbury.bind(ledger);
      return {
        unbury: async (letter) => {
          const kept = await ledger.deadLetter(letter.id);
          return unbury({ ...letter, epoch: kept?.kind === "line" ? kept.epoch : undefined });
        },
      };
    },
  ],
  [
    "QL9",
    "a cut counts nothing of what was put aside",
    (ledger) => {
      const cut = ledger.cut.bind(ledger);
      return {
        cut: async (ask) => {
          const letters = await ledger.deadLetters();
          for (const letter of letters) await ledger.unbury(letter);
          const made = await cut(ask);
          for (const letter of letters) await ledger.bury(letter);
          return made;
        },
      };
    },
  ],
  ["QL7", "tries are not counted", () => ({ noteFailedLine: async () => 1 })],
  [
    "QL7",
    "what was buried again is forgotten with what was dealt with",
    (ledger) => {
      const unbury = ledger.unbury.bind(ledger);
      return { unbury: async ({ id }) => unbury(must(await ledger.deadLetter(id))) };
    },
  ],
  [
    "QL6",
    "the same ask closes again",
    (ledger) => {
      const askAtCut = ledger.askAtCut.bind(ledger);
      return {
        askAtCut: async (ask) => {
          const id = await askAtCut(ask);
          const scope = await ledger.scope(ask.scopeId);
          if (scope !== undefined) await ledger.close({ scopeId: scope.id, epoch: scope.epoch, cause: "at_cut" });
          return id;
        },
      };
    },
  ],
  ["QL2", "lines that wait are told before there is a cache to ask", () => ({ parked: async () => [] })],
];

function marksOfAnyClosing(ledger: MemoryQueueLedger): Partial<QueueLedger> {
  const noteMark = ledger.noteMark.bind(ledger);
  return { noteMark: async (mark) => noteMark({ ...mark, closing: (await ledger.scope(mark.scopeId))?.closing ?? 0 }) };
}

describe("controls: a broken ledger fails its case", () => {
  test.each(bugs)("[%s] %s", async (rule, _, plant) => {
    const failures: string[] = [];
    for (const each of queueLedgerCases.filter((one) => one.rule === rule))
      await runQueueLedgerCase(each, () => openMemoryQueueLedger(plant)).catch((error: unknown) => failures.push(String(error)));
    expect(failures.length).toBeGreaterThan(0);
  });
});
