import { expect, test } from "bun:test";
import type { Refusal } from "../domain/purchase.ts";
import { outcomeName, refusalReply } from "./refusals.ts";

const said = (refusal: Refusal) => {
  const { status, reason, headers } = refusalReply(refusal);
  return [status, reason, headers?.["Retry-After"], outcomeName({ kind: "refused", refusal })];
};

test("[PU13] while units are free and nobody holds any, nobody hears that all are taken: come again in a moment", () => {
  expect(said({ reason: "all_taken", held: 0, available: 5 })).toEqual([503, "busy", "1", "busy"]);
  expect(said({ reason: "all_taken", held: 2, available: 5 })).toEqual([409, "all_taken", undefined, "all_taken"]);
  expect(said({ reason: "all_taken", held: 1, available: 0 })).toEqual([409, "all_taken", undefined, "all_taken"]);
  expect(said({ reason: "sold_out", available: 0 })).toEqual([409, "sold_out", undefined, "sold_out"]);
});
