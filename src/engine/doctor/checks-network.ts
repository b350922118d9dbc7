/** The ports the server listens on, and a server that is there already. */
import type { PortFacts } from "../../ports/machine-facts.ts";
import { millisecondsText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";

/** Which option names the port, and whether a server there keeps its own time, or that of the store it shares. */
export type PortAt = { readonly facts: PortFacts; readonly option: string; readonly hostOption: string; readonly ownClock: boolean };

export const skewWantedMs = 500;
/** From here on a server does not follow its machine's clock. */
export const skewMaxMs = 2_000;

const why = "Buyers reach the shop through it";

export const portChecks: readonly Check<PortAt>[] = [
  {
    id: "port",
    why,
    judge({ facts: { host, port, state }, option, hostOption }): Judgement {
      const at = `${host} port ${port}`;
      const measured = { value: port };
      switch (state.kind) {
        case "free":
          return ok(port === 0 ? "any free port is taken" : `${at} is free`, measured);
        case "ours":
          return ok(
            `${at} is in use by Doorbuster ${state.version ?? "of another version"}${state.environment === undefined ? "" : ` (${state.environment})`}`,
            measured,
          );
        case "taken":
          return problem(
            `${at} is in use by another program`,
            `Find it: ss -ltnp 'sport = :${port}', or choose another port with ${option}`,
            measured,
          );
        case "refused":
          return problem(`${at} cannot be listened on (${state.code})`, fixOf(state.code, { host, option, hostOption }), measured);
        default:
          return state satisfies never;
      }
    },
  },
  {
    id: "clock-skew",
    why: "A running server keeps its own time when the machine's leaps, so that no sale opens twice; afterwards the two differ",
    judge({ facts: { state }, ownClock }) {
      if (!ownClock || state.kind !== "ours" || state.skewMs === undefined) return undefined;
      const measured = { value: state.skewMs, unit: "ms" };
      const found = `the running server's clock is ${millisecondsText(Math.abs(state.skewMs))} from this machine's`;
      if (Math.abs(state.skewMs) <= skewWantedMs) return ok(found, measured);
      if (Math.abs(state.skewMs) <= skewMaxMs)
        return warning(found, "Wait for it to catch up; it corrects half a second in each", measured);
      return problem(found, "Correct the machine's clock (timedatectl), then restart the server", measured);
    },
  },
];

function fixOf(code: string, { host, option, hostOption }: { host: string; option: string; hostOption: string }): string {
  if (code === "EACCES") return `Choose a port from 1024 up with ${option}, behind a proxy that has the lower one`;
  return `Name an address of this machine with ${hostOption}: 127.0.0.1, or 0.0.0.0 for all; "${host}" is none`;
}
