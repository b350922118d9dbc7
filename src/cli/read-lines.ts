import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { CommandFailed, exitCodes } from "./program.ts";

export type NumberedLine = { readonly text: string; readonly number: number; readonly last: boolean };

/** The lines of a file, however large. Empty ones are passed over. A file that cannot be read is a wrong command. */
export async function* readLines(path: string): AsyncGenerator<NumberedLine> {
  let held: NumberedLine | undefined;
  let number = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (text === "") continue;
      if (held !== undefined) yield held;
      held = { text, number, last: false };
    }
  } catch (error) {
    throw new CommandFailed(`cannot read "${path}": ${error instanceof Error ? error.message : String(error)}`, exitCodes.usage);
  }
  if (held !== undefined) yield { ...held, last: true };
}

export function wrongLine(path: string, { number }: NumberedLine, problem: string): CommandFailed {
  return new CommandFailed(`cannot use "${path}", line ${number}: ${problem}`, exitCodes.usage);
}

export function numbered(lines: readonly string[]): NumberedLine[] {
  return lines.map((text, i) => ({ text, number: i + 1, last: i === lines.length - 1 }));
}
