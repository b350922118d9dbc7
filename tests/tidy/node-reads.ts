/** What Node 24 cannot read: it strips types with a parser of its own, stricter in places than Bun's and TypeScript's. */
import { spawnSync } from "node:child_process";
import { commandOf } from "../harness/server-process.ts";
import type { SourceFile } from "./source-file.ts";

const script = `
import { stripTypeScriptTypes } from "node:module";
import { text } from "node:stream/consumers";
const files = JSON.parse(await text(process.stdin));
const wrong = files.flatMap(({ path, text }) => {
  try {
    stripTypeScriptTypes(text);
    return [];
  } catch (error) {
    return [path + ": Node cannot read it: " + error.message.split("\\n")[0]];
  }
});
console.log(JSON.stringify(wrong));
`;

/** The program's own files; tests and scripts run on Bun alone. */
export function nodeReads(files: readonly SourceFile[]): string[] {
  const [node] = commandOf("node");
  const own = files.filter(({ path, isTest }) => path.startsWith("src/") && path.endsWith(".ts") && !isTest);
  const input = JSON.stringify(own.map(({ path, text }) => ({ path, text })));
  const { stdout, stderr, status } = spawnSync(node, ["--no-warnings", "--input-type=module", "-e", script], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`Node ended with ${status}: ${stderr}`);
  // The script above prints a list of texts.
  return JSON.parse(stdout) as string[];
}
