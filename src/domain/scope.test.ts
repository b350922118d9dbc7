import { expect, test } from "bun:test";
import { saleId } from "../../tests/kit/samples.ts";
import { afterCommit, closing, courseOf, newScope, scopeStates, type LineCourse, type Scope, type ScopeState } from "./scope.ts";

const scope = (change: Partial<Scope> = {}): Scope => ({ ...newScope(saleId("77"), 4), state: "open", epoch: 3, feed: 9, ...change });

// oxfmt-ignore
const courses: readonly (readonly [ScopeState, lineEpoch: number, LineCourse])[] = [
  ["open",    3, "settle"], ["open",    2, "readmit"], ["open",    0, "readmit"],
  ["closing", 3, "settle"], ["closing", 2, "park"],
  ["opening", 3, "settle"], ["opening", 2, "park"],
  ["closed",  3, "settle"], ["closed",  2, "park"],
];

test("[QL2] a line's course follows from its epoch, the scope's, and whether there is a cache to ask", () => {
  for (const [state, lineEpoch, course] of courses)
    expect([state, lineEpoch, courseOf({ state, epoch: 3 }, lineEpoch)]).toEqual([state, lineEpoch, course]);
  expect(new Set(courses.map(([state]) => state))).toEqual(new Set(scopeStates));
});

test("[QL4] a commit with something to tell takes the feed's next number, and no other does", () => {
  expect(afterCommit(scope(), { fed: true, published: false, drifted: false })).toEqual(scope({ feed: 10 }));
  expect(afterCommit(scope(), { fed: false, published: false, drifted: false })).toEqual(scope());
});

test("[QL3] publishing into an open scope closes it, for its cache does not know the sale; one that is not open stays as it is", () => {
  expect(afterCommit(scope(), { fed: false, published: true, drifted: false })).toEqual(scope({ state: "closing", closing: 1 }));
  for (const state of ["closed", "opening", "closing"] as const)
    expect(afterCommit(scope({ state }), { fed: true, published: true, drifted: true })).toEqual(scope({ state, feed: 10 }));
});

test("[QL5] drift closes the scope", () => {
  expect(afterCommit(scope(), { fed: false, published: false, drifted: true })).toMatchObject({ state: "closing", closing: 1, epoch: 3 });
  expect(closing(scope({ closing: 6 }))).toMatchObject({ closing: 7, state: "closing" });
});

test("[QM1] scopes are spread over the partitions there are", () => {
  const partitions = new Set(
    Array.from({ length: 64 }, (_, i) => newScope(saleId(String(794_354_201_395_212_273n + BigInt(i))), 4).partition),
  );
  expect(partitions).toEqual(new Set([0, 1, 2, 3]));
});
