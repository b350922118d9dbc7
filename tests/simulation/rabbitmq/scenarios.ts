/**
 * Courses of things that have undone shops built like this one, each driven on purpose. A scenario throws when something is
 * not as it must be; the planted bugs that name it are there to see that it does.
 */
import type { Scenario } from "./scenario.ts";
import { epochScenarios } from "./scenarios-epochs.ts";
import { lineScenarios } from "./scenarios-lines.ts";

export const scenarios: readonly Scenario[] = [...epochScenarios, ...lineScenarios];
