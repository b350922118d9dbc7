import { expect, test } from "bun:test";
import { groupedWaitingMax, groupMax, GroupedWrites, type SmallWrite } from "./grouped-writes.ts";
import { WorkerFailure } from "./worker-protocol.ts";

type Sent = { readonly operation: string; readonly payload: unknown; readonly settle: (failure?: WorkerFailure) => void };

/** A writer's thread that answers when it is told to: each write with its payload. */
function heldWriter() {
  const sent: Sent[] = [];
  const send = (operation: string, payload: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      const answer = operation === "together" ? (payload as readonly SmallWrite[]).map(([, each]) => each) : payload;
      sent.push({ operation, payload, settle: (failure) => (failure === undefined ? resolve(answer) : reject(failure)) });
    });
  const countOf = ({ operation, payload }: Sent) => (operation === "together" ? (payload as readonly unknown[]).length : 1);
  return { writes: new GroupedWrites(send), sent, counts: () => sent.map(countOf) };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));
const codesOf = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === "fulfilled" ? "done" : (result.reason as WorkerFailure).code));

test("what comes while one is under way goes together, never two calls at a time, and each gets its own answer", async () => {
  const { writes, sent, counts } = heldWriter();
  const answers = Promise.all(Array.from({ length: 2 * groupMax + 1 }, (_, i) => writes.write("rename", i)));
  for (let call = 0; call < 4; call++) {
    await turns();
    expect(sent.length).toBe(Math.min(call + 1, 3));
    sent[call]?.settle();
  }
  expect(await answers).toEqual(Array.from({ length: 2 * groupMax + 1 }, (_, i) => i));
  expect(counts()).toEqual([1, groupMax, groupMax]);
});

test("beyond those that may wait nothing is tried", async () => {
  const { writes, sent } = heldWriter();
  const first = writes.write("rename", 0);
  await turns();
  const waiting = Array.from({ length: groupedWaitingMax }, (_, i) => writes.write("rename", i));
  expect(codesOf(await Promise.allSettled([writes.write("rename", 1)]))).toEqual(["unavailable"]);
  sent[0]?.settle();
  await first;
  for (let call = 1; call <= groupedWaitingMax / groupMax; call++) {
    await turns();
    sent[call]?.settle();
  }
  expect((await Promise.all(waiting)).length).toBe(groupedWaitingMax);
});

test("a store that fails is not waited for by those behind: nothing of theirs was tried", async () => {
  const { writes, sent } = heldWriter();
  const all = Promise.allSettled(Array.from({ length: 5 }, (_, i) => writes.write("rename", i)));
  await turns();
  sent[0]?.settle(new WorkerFailure({ code: "unknown", message: "late" }));
  expect(codesOf(await all)).toEqual(["unknown", "unavailable", "unavailable", "unavailable", "unavailable"]);
  const next = writes.write("rename", 9);
  await turns();
  sent[1]?.settle();
  expect(await next).toBe(9);
});

test("one that cannot be written fails alone", async () => {
  const { writes, sent, counts } = heldWriter();
  const all = Promise.allSettled(Array.from({ length: 4 }, (_, i) => writes.write("rename", i)));
  const defect = new WorkerFailure({ code: "defect", message: "bad line" });
  for (const failure of [undefined, defect, undefined, defect, undefined]) {
    await turns();
    sent.at(-1)?.settle(failure);
  }
  expect(codesOf(await all)).toEqual(["done", "done", "defect", "done"]);
  expect(counts()).toEqual([1, 3, 1, 1, 1]);
});
