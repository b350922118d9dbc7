/** How the simulated provider behaves when asked to: what it does to a payment, and when. */
import type { Money } from "../../domain/money.ts";
import { unreachable } from "../../lib/assert.ts";

export const scenarios = ["success", "failure", "delay", "duplicate", "late", "wrong_amount", "abandon", "second_capture"] as const;
export type Scenario = (typeof scenarios)[number];

export type Step = {
  /** Not before. */
  readonly atMs: number;
  /** Up to so much later, by chance. */
  readonly jitterMs: number;
  /** Money to take; without it the payment fails. */
  readonly take?: Money | undefined;
  /** How often its callback is sent at least. */
  readonly copies: number;
};

export const delayDefaultSeconds = 5;
export const delayMaxSeconds = 86_400;
/** The sweep may be a second late; money that is to come too late must come after it. */
const lateByMs = 3_000;
const soon = { jitterMs: 250, copies: 1 };
const soonMs = 50;

/** `delay` takes its seconds after a colon: "delay:30". Undefined for what is no scenario. */
export function parseScenario(text: string): { scenario: Scenario; seconds: number } | undefined {
  const [name = "", seconds, ...rest] = text.split(":");
  const scenario = scenarios.find((known) => known === name);
  if (scenario === undefined || rest.length > 0) return undefined;
  if (seconds === undefined) return { scenario, seconds: delayDefaultSeconds };
  if (scenario !== "delay" || !/^\d{1,5}$/.test(seconds) || Number(seconds) > delayMaxSeconds) return undefined;
  return { scenario, seconds: Number(seconds) };
}

/** The steps of a payment, in order. A pure function of its terms, so that a restart goes on where it stopped. */
export function stepsOf(payment: { scenario: string; money: Money; holdUntilMs: number; atMs: number }): readonly Step[] {
  const { money, holdUntilMs, atMs } = payment;
  const parsed = parseScenario(payment.scenario);
  if (parsed === undefined) return [];
  const capture: Step = { ...soon, atMs: atMs + soonMs, take: money };
  switch (parsed.scenario) {
    case "success":
      return [capture];
    case "failure":
      return [{ ...soon, atMs: atMs + soonMs }];
    case "delay":
      return [{ ...capture, atMs: atMs + parsed.seconds * 1000 }];
    case "duplicate":
      return [{ ...capture, copies: 3 }];
    case "late":
      return [{ ...capture, atMs: holdUntilMs + lateByMs }];
    case "wrong_amount":
      return [{ ...capture, take: { ...money, minor: money.minor > 1 ? money.minor - 1 : money.minor + 1 } }];
    case "second_capture":
      return [capture, { ...capture, atMs: atMs + soonMs * 2 }];
    case "abandon":
      return [];
    default:
      return unreachable(parsed.scenario);
  }
}
