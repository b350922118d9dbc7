/** What directed scenarios are made of. */
import type { Process } from "../sql/process.ts";
import type { Stage } from "./stage.ts";
import { type StageOptions } from "./stage.ts";

export type Scenario = {
  readonly name: string;
  readonly rule: string;
  readonly stage?: StageOptions | undefined;
  readonly run: (stage: Stage) => Promise<void>;
};

export function expectEqual(found: unknown, wanted: unknown, what: string): void {
  const [mine, theirs] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (mine !== theirs) throw new Error(`${what}: expected ${theirs}, found ${mine}`);
}

export const expectTold = async (asked: { told: () => Promise<{ kind: string; reason?: string }> }, wanted: string): Promise<void> => {
  const { kind, reason } = await asked.told();
  const isNamed = wanted.includes(" ");
  expectEqual(isNamed ? `${kind} ${reason ?? ""}` : kind, wanted, "the answer");
};

export const apis = (stage: Stage) => ({ one: stage.process("api 1"), two: stage.process("api 2") });

/** The cache accepts a line of this process, which is stopped before anything of it is published. */
export async function stopped(stage: Stage, by: Process, wish: { buyer: number; key?: string; waits?: boolean }) {
  let isStopped = false;
  stage.nextLines(by.server.name, "lost", () => {
    stage.stop(by);
    isStopped = true;
  });
  const asked = stage.buy(by, wish.buyer, wish);
  await stage.until(() => isStopped, "the cache to accept");
  return asked;
}

/** The cache loses all it has, and somebody asks it, who hears that it is being counted anew. */
export async function lose(stage: Stage, by: Process): Promise<void> {
  stage.world.cache.flush();
  await expectTold(stage.buy(by, 8), "untried rebuilding");
}

/** A line that the cache has accepted and whose message takes its time. */
export function inFlight(stage: Stage, by: Process, buyer: number) {
  stage.nextLines(by.server.name, { lateMs: 1_500 });
  return stage.buy(by, buyer, { key: "k", waits: false });
}

export const adjustment = (stage: Stage) => `/api/v1/sales/${stage.saleId}/stock-adjustments`;

const buryMessage = "a purchase cannot be settled and was put aside";

export async function buried(stage: Stage): Promise<string> {
  const { one } = apis(stage);
  stage.world.expectedErrors.add(buryMessage);
  stage.buy(one, 1, { key: "k", note: "poison", waits: false });
  const { deadLetters } = stage.world.store.tables;
  await stage.until(() => deadLetters.size === 1, "the line to be put aside");
  return [...deadLetters.keys()][0] ?? "";
}
