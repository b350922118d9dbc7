/** How far a server is from this machine, and how its clock stands to this one's: the same for each kind of server. */
import type { ClockSeen, RoundTrip } from "../../ports/server-facts.ts";
import { millisecondsText, ok, problem, warning, type Judgement } from "./finding.ts";

/** A batch asks several times, one after the other, while others wait for the same sale. */
const roundTripWantedMs = 5;
const roundTripMaxMs = 100;
const clockWantedMs = 500;
const clockMaxMs = 2_000;

export function roundTripJudgement({ name, host }: { name: string; host: string }, { medianMs, maxMs, asked }: RoundTrip): Judgement {
  const measured = { value: medianMs, unit: "ms" };
  const times = `${millisecondsText(medianMs)} median, ${millisecondsText(maxMs)} at most, asked ${asked} times`;
  const found = `${name} answers: ${times}`;
  const fix = `Run the processes in the server's own network; this shows the way there: ping ${host}`;
  if (medianMs > roundTripMaxMs) return problem(`${found}; buyers will wait and time out`, fix, measured);
  return medianMs > roundTripWantedMs ? warning(`${found}; this is slow`, fix, measured) : ok(found, measured);
}

/** `than`: whose clock it is compared with. */
export function clockJudgement({ offsetMs, uncertaintyMs }: ClockSeen, than: string): Judgement {
  const measured = { value: offsetMs, unit: "ms" };
  const side = offsetMs < 0 ? "behind" : "ahead of";
  const found = `it is ${millisecondsText(Math.abs(offsetMs))} ${side} ${than}, give or take ${millisecondsText(uncertaintyMs)}`;
  const fix = "Let a time service set the clocks of both machines: sudo timedatectl set-ntp true";
  if (Math.abs(offsetMs) > clockMaxMs) return problem(found, fix, measured);
  if (Math.abs(offsetMs) > clockWantedMs) return warning(found, fix, measured);
  if (uncertaintyMs > clockWantedMs)
    return warning(`${found}, which is too slow to tell`, "Run the processes in the server's own network, and ask again", measured);
  return ok(found, measured);
}
