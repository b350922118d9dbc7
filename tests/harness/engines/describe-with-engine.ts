/** Groups of tests that need a real engine, skipped loudly where it cannot be had; in CI that is a failing test. */
import { afterAll, beforeAll, describe, test } from "bun:test";
import { availabilityOf, helpOf, type Decision, type EngineName } from "./availability.ts";
import { foreignEngine, sharedEngine, type ForeignEngine, type SharedEngine } from "./shared-engine.ts";

const startMaxMs = 120_000;

/**
 * For tests that only speak to an engine, which other files share: `engine().database("orders")` is a test's own place.
 * Within tests and hooks, not while the group is described.
 */
export function describeWithEngine(name: EngineName, title: string, body: (engine: () => SharedEngine) => void): void {
  const decision = availabilityOf(name, "url");
  let engine: SharedEngine | undefined;
  let foreign: ForeignEngine | undefined;
  describeDecided(decision, title, () => {
    if (decision.kind !== "none")
      beforeAll(async () => {
        if (decision.kind === "url") engine = foreign = foreignEngine(name, decision.url);
        else engine = await sharedEngine(name);
      }, startMaxMs);
    body(() => {
      if (engine === undefined) throw new Error(`the ${name} is there within tests and hooks only`);
      return engine;
    });
    if (decision.kind === "url") afterAll(() => foreign?.dropAll(), startMaxMs);
  });
}

/** For tests that open engines of their own, to kill, freeze or damage them: a server that others named will not do. */
export function describeWithOwnEngine(name: EngineName, title: string, body: () => void): void {
  describeDecided(availabilityOf(name, "own"), title, body);
}

export function describeDecided(decision: Decision, title: string, body: () => void): void {
  if (decision.kind !== "none") return describe(title, body);
  const why = `${decision.reason}. ${helpOf(decision)}`;
  if (!decision.fails) return describe.skipIf(true)(`${title} (skipped: ${why})`, body);
  return describe(title, () => {
    test("have their engine, which CI may not skip", () => {
      throw new Error(why);
    });
  });
}
