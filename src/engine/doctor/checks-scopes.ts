/** Sales that the cache decides, as the database keeps them: what is not open, and what could not be settled. */
import { utcText } from "../../lib/utc-text.ts";
import type { CacheSeen } from "../../ports/cache-facts.ts";
import type { ServerSeen, StuckScope, Waiting } from "../../ports/server-facts.ts";
import { countText, millisecondsText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { clockJudgement } from "./round-trip.ts";

export type ScopesAt = {
  readonly server: ServerSeen;
  /** Undefined where it could not be looked at. */
  readonly cache: CacheSeen | undefined;
};

/** So many are told one by one. */
const toldMax = 20;

export const scopesChecks: readonly Check<ScopesAt>[] = [
  {
    id: "queue-scopes",
    why: "While a sale's stock is counted and loaded its buyers hear 503",
    judge({ server: { queue, processes } }): Judgement | readonly Judgement[] | undefined {
      if (queue === undefined) return undefined;
      if (queue.stuck.length === 0) return ok("none waits to be closed or opened");
      const works = (processes ?? []).some(({ roles }) => roles.split(" ").includes("worker"));
      const told = queue.stuck.slice(0, toldMax).map((scope) => stuckJudgement(scope, works));
      const more = queue.stuck.length - told.length;
      return more > 0 ? [...told, problem(`and ${countText(more)} more`, "As above")] : told;
    },
  },
  {
    id: "queue-dead-letters",
    why: "Each is a purchase that a buyer was told of, or a message that nobody could read; somebody has to look at it",
    judge: ({ server: { queue } }) =>
      queue &&
      waitingJudgement(queue.deadLetters, {
        what: ["was put aside", "were put aside"],
        fix: "GET /api/v1/dead-letters says what is wrong with each; then POST /api/v1/dead-letters/:letter_id/replay, or …/discard",
      }),
  },
  {
    id: "queue-failed-lines",
    why: "A purchase that fails again and again is put aside; its neighbours wait for each try",
    judge: ({ server: { queue } }) =>
      queue &&
      waitingJudgement(queue.failedLines, {
        what: ["purchase fails to settle", "purchases fail to settle"],
        fix: 'Read in the column "problem" of the table "failed_line" what is wrong with each, and in the workers\' log',
      }),
  },
  {
    id: "queue-clocks",
    why: "The cache's clock says when a purchase was made, the database's until when it is held and when the sale is over",
    judge({ server, cache }): Judgement | undefined {
      if (cache?.clock === undefined) return undefined;
      const offsetMs = cache.clock.offsetMs - server.clock.offsetMs;
      return clockJudgement({ offsetMs, uncertaintyMs: cache.clock.uncertaintyMs + server.clock.uncertaintyMs }, "the database's");
    },
  },
];

function stuckJudgement({ id, state, watchedMs, owing }: StuckScope, works: boolean): Judgement {
  const found = `scope ${id} is ${state === "closing" ? "being closed" : "being loaded"}, and was for ${millisecondsText(watchedMs)} of looking`;
  if (!works) return problem(`${found}: no worker lives to do it`, "doorbuster worker");
  if (owing.length > 0) {
    const named = owing.map(({ number, name }) => `number ${number} ("${name}")`).join(", ");
    return problem(
      `${found}: it waits for the end mark of ${named}`,
      `See in the log of each why the broker does not answer, and end it if it stays so: kill ${owing.map(({ name }) => /\d+$/.exec(name)?.[0] ?? name).join(" ")}`,
    );
  }
  return state === "closing"
    ? problem(`${found}: what was bought before is not settled yet`, "See broker-readers and broker-depth, and the workers' log")
    : problem(
        `${found}: the cache does not take it`,
        "See the findings about the cache, and the workers' log; a large sale takes half a minute",
      );
}

type Words = { readonly what: readonly [one: string, many: string]; readonly fix: string };

function waitingJudgement({ count, oldestAtMs, problem: said }: Waiting, { what: [one, many], fix }: Words): Judgement {
  const measured = { value: count, unit: "lines" };
  if (count === 0) return ok("none", measured);
  const since = oldestAtMs === undefined ? "" : `, the oldest ${utcText(oldestAtMs)}`;
  return warning(`${countText(count)} ${count === 1 ? one : many}${since}${said === undefined ? "" : `: ${said}`}`, fix, measured);
}
