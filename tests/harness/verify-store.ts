import { isObject } from "../../src/engine/rehearsal/shop-client.ts";
import { verdictOf, type VerifyVerdict } from "../../src/engine/rehearsal/verdict.ts";
import { runCommand } from "./run-command.ts";

export type StoreVerdict = VerifyVerdict & { readonly code: number };

/** Runs `doorbuster verify --json` over a store, and a client's record if there is one. */
export async function verifyStore(
  dataDir: string,
  { history, atRest = false, env = {} }: { history?: string; atRest?: boolean; env?: Readonly<Record<string, string>> } = {},
): Promise<StoreVerdict> {
  const args = [
    "verify",
    "--data-dir",
    dataDir,
    "--json",
    ...(history === undefined ? [] : ["--history", history]),
    ...(atRest ? ["--at-rest"] : []),
  ];
  const { code, out, err } = await runCommand(args, { env: { ...env }, withinMs: 120_000 });
  let printed: unknown;
  try {
    printed = JSON.parse(out);
  } catch (error) {
    throw new Error(`verify ended with ${code} and printed no JSON: ${out.slice(0, 300)} ${err.slice(0, 500)}`, { cause: error });
  }
  if (!isObject(printed)) throw new Error(`verify printed ${out.slice(0, 300)}`);
  return { ...verdictOf(printed), code };
}
