import { closeSync, openSync } from "node:fs";
import { CommandFailed, exitCodes } from "./program.ts";

/** Before the work: a report that finds no place afterwards is lost. */
export function openReport(flag: string, path: string): void {
  try {
    closeSync(openSync(path, "w"));
  } catch (error) {
    throw new CommandFailed(`${flag}: cannot write "${path}": ${error instanceof Error ? error.message : String(error)}`, exitCodes.usage);
  }
}
