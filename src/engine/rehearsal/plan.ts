/**
 * Who storms the sale and how each buyer behaves. A buyer's plan is a function of the seed and its number alone, so the
 * same seed rehearses the same crowd whatever order the machine lets it arrive in.
 */
import { SeededRandom } from "../../lib/seeded-random.ts";
import type { Curve } from "./curve.ts";

export type RehearsalOptions = {
  /** How many come; a curve says it by itself. */
  readonly buyers: number;
  readonly stock: number;
  readonly seed: number;
  /** Requests in flight at once while the crowd storms; each is a connection of its own. */
  readonly connections: number;
  /** How long an accepted buyer has to pay. Short, so that abandoned units return while one watches. */
  readonly payWindowMs: number;
  /** When they come. Without one each connection asks as fast as it is answered (a closed loop). */
  readonly curve?: Curve | undefined;
  /** With a curve: how long before the opening the crowd looks at the sale, and how often in all. */
  readonly lead?: Lead | undefined;
  /** How often a buyer repeats what was not tried or got no answer. */
  readonly repeatsMax?: number | undefined;
  /** With a curve: how often a buyer who was told "all taken" clicks again, a second or so later. */
  readonly clicksAgainMax?: number | undefined;
};
export type Lead = { readonly ms: number; readonly pollsPerSecond: number };

export const rehearsalDefaults = { buyers: 20_000, stock: 1_000, connections: 96, payWindowMs: 5_000 } as const;
export const rehearsalBuyersMax = 200_000;
export const rehearsalConnectionsMax = 200;
export const leadMaxMs = 300_000;
export const repeatsDefault = 20;
export const clicksAgainMax = 20;

/** How a buyer asks: once, twice at the same time, again after a lost answer, with a changed payload, for one more. */
export type Manner = "plain" | "double_click" | "lost_answer" | "key_reuse" | "greedy";
/** What a buyer does with a unit it got. */
export type Aftermath =
  | "pay"
  | "pay_by_shop"
  | "pay_twice"
  | "duplicate_callback"
  | "fail_then_pay"
  | "fail"
  | "wrong_amount"
  | "late_money"
  | "abandon"
  | "cancel";

export type BuyerPlan = {
  readonly subject: string;
  readonly key: string;
  readonly manner: Manner;
  readonly aftermath: Aftermath;
  /** Whether it comes back for returned units after being told "all taken". */
  readonly returns: boolean;
  /** When a buyer of manner `lost_answer` walks away. */
  readonly dropAfterMs: number;
};

const manners: readonly (readonly [Manner, number])[] = [
  ["plain", 0.66],
  ["double_click", 0.15],
  ["lost_answer", 0.1],
  ["greedy", 0.06],
  ["key_reuse", 0.03],
];
const aftermaths: readonly (readonly [Aftermath, number])[] = [
  ["pay", 0.58],
  ["pay_by_shop", 0.05],
  ["pay_twice", 0.03],
  ["duplicate_callback", 0.04],
  ["fail_then_pay", 0.05],
  ["fail", 0.03],
  ["wrong_amount", 0.03],
  ["late_money", 0.04],
  ["abandon", 0.1],
  ["cancel", 0.05],
];
const returningShare = 0.4;

/** Who the crowd is called by: nobody else's buyers, keys or tokens may begin so. */
export const crowdPrefix = "rehearsal-";

export function buyerPlan(seed: number, number: number, prefix: string = crowdPrefix): BuyerPlan {
  const random = new SeededRandom(Math.imul(seed, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35));
  const manner = pick(manners, random.next());
  const aftermath = pick(aftermaths, random.next());
  const returns = random.next() < returningShare;
  const dropAfterMs = random.between(0, 12);
  return { subject: `${prefix}${number + 1}`, key: `r${seed}-${number + 1}`, manner, aftermath, returns, dropAfterMs };
}

function pick<Choice extends string>(shares: readonly (readonly [Choice, number])[], chance: number): Choice {
  let sum = 0;
  let last: Choice | undefined;
  for (const [choice, share] of shares) {
    sum += share;
    last = choice;
    if (chance < sum) break;
  }
  // Every table above has rows.
  return last as Choice;
}
