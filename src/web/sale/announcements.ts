/** Which changes of a sale page are said aloud. They hang on changes of state, never on the tick. */
import type { Key } from "../messages/catalogue.ts";
import { buttonOf, type ButtonState } from "./button-states.ts";
import type { SaleFacts } from "./facts.ts";

const thresholds: readonly (readonly [ms: number, key: Key])[] = [
  [10_000, "say_10_seconds"],
  [60_000, "say_1_minute"],
  [600_000, "say_10_minutes"],
];

/** A step that takes longer was no step but a sleep: what it passed over is news no more. */
const stepMaxMs = 5_000;

export function announcementOf(before: SaleFacts, after: SaleFacts): Key | undefined {
  const [was, is] = [buttonOf(before).state, buttonOf(after).state];
  if (was !== is) return ofChange(was, is);
  if (is !== "BEFORE" || before.nowMs === undefined || after.nowMs === undefined) return undefined;
  if (after.nowMs - before.nowMs > stepMaxMs) return undefined;
  const [left, leftNow] = [before.sale.startsAtMs - before.nowMs, after.sale.startsAtMs - after.nowMs];
  return thresholds.find(([ms]) => left > ms && leftNow <= ms)?.[1];
}

function ofChange(was: ButtonState, is: ButtonState): Key | undefined {
  const opened = is === "ON_SALE" || is === "SIGN_IN";
  if (opened && was === "BEFORE") return "say_started";
  if (is === "ON_SALE" && (was === "OUT_HELD" || was === "SOLD_OUT")) return "say_returned";
  if (is === "HELD") return "say_got";
  if ((is === "OUT_HELD" || is === "SOLD_OUT") && was === "ON_SALE") return "say_taken";
  return is === "ENDED" && was !== "HELD" && was !== "BOUGHT" ? "say_ended" : undefined;
}
