import { expect, test } from "bun:test";
import { StoreUnavailable } from "../ports/store-unavailable.ts";
import { idsOf } from "./sharing.ts";

test("a process mints ids while its number is surely its own, and tries nothing while it may be another's", () => {
  let isSure = true;
  const ids = idsOf({ isSure: () => isSure }, { mint: () => "7" });
  expect(ids.mint()).toBe("7");
  isSure = false;
  expect(() => ids.mint()).toThrow(StoreUnavailable);
});
