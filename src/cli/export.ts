import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import type { Config } from "../config/options.ts";
import { isMerchantId, type MerchantId } from "../domain/access.ts";
import { parseSaleId, type SaleId } from "../domain/ids.ts";
import { transitions, type PurchaseState } from "../domain/purchase.ts";
import { ledgerAsCsv, ordersAsCsv } from "../engine/export.ts";
import type { Exports } from "../ports/exports.ts";
import { addCommand, CommandFailed, exitCodes, type CliDeps } from "./program.ts";
import { ProgressLine } from "./progress.ts";

export type ExportCommandDeps = CliDeps & {
  /** A read-only snapshot of the configured store; throws an Error that says what is wrong with it. */
  readonly openExports: (config: Config) => Promise<Exports & { close(): void }>;
  /** Writes to standard output and waits until it is taken; false when nobody reads there any more. */
  readonly write: (text: string) => Promise<boolean>;
};

type Flags = {
  dataDir?: string;
  shop?: MerchantId;
  sale?: SaleId;
  state?: PurchaseState;
  from?: number;
  to?: number;
  bom?: boolean;
};

/** `doorbuster export`: what `GET /api/v1/exports/…` gives, without a server. */
export function registerExport(program: Command, deps: ExportCommandDeps): void {
  addCommand(program, "export", "Write orders or the stock ledger as CSV to standard output. Changes nothing; a server may run meanwhile.")
    .addArgument(new Argument("<what>", "what to write").choices(["orders", "ledger"]))
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)")
    .option("--shop <id>", "only this shop's rows, with its own ids of its buyers", shop)
    .option("--sale <id>", "only this sale's rows", sale)
    .addOption(new Option("--state <state>", "only orders in this state").choices(Object.keys(transitions)))
    .option("--from <time>", "only orders accepted from this time on, like 2030-01-31T20:00:00+08:00", time)
    .option("--to <time>", "only orders accepted before this time", time)
    .option("--bom", "begin with a byte order mark")
    .addHelpText("after", helpAfter)
    .action((what: "orders" | "ledger", flags: Flags) => run(deps, what, flags));
}

const helpAfter = `
Texts that a spreadsheet would compute begin with an apostrophe. Import ids as text: they have more digits than a
spreadsheet's number keeps. Buyers are shown with --shop alone.

Examples:
  doorbuster export orders --shop my-shop --state paid > paid.csv
  doorbuster export ledger --sale 911728055460871352 --data-dir /var/lib/doorbuster > ledger.csv`;

async function run(deps: ExportCommandDeps, what: "orders" | "ledger", flags: Flags): Promise<void> {
  const { shop: merchant, sale: saleId, state, from: fromMs, to: toMs, bom: withMark = false } = flags;
  if (what === "ledger" && (state ?? fromMs ?? toMs) !== undefined)
    throw new CommandFailed("--state, --from and --to are of orders; the ledger has none of them", exitCodes.usage);
  const exports = await open(deps, deps.config({ DOORBUSTER_DATA_DIR: flags.dataDir }));
  const access = { merchant, permissions: new Set(["exports:read"] as const) };
  const texts =
    what === "orders"
      ? ordersAsCsv({ exports }, { access, query: { saleId, state, fromMs, toMs }, withMark })
      : ledgerAsCsv({ exports }, { access, query: { saleId }, withMark });
  const line = new ProgressLine(deps.console);
  let written = 0;
  try {
    for await (const text of texts) {
      if (!(await deps.write(text))) return;
      written += text.length;
      line.show({ what: `Writing ${what}`, done: written, unit: "characters" });
    }
  } finally {
    line.end();
    exports.close();
  }
}

async function open(deps: ExportCommandDeps, config: Config): Promise<Exports & { close(): void }> {
  try {
    return await deps.openExports(config);
  } catch (error) {
    if (error instanceof Error && error.name === "StoreUnavailable") throw new CommandFailed(error.message, exitCodes.usage);
    throw error;
  }
}

function shop(text: string): MerchantId {
  if (!isMerchantId(text)) throw new InvalidArgumentError("It must be a shop's id, like my-shop.");
  return text;
}

function sale(text: string): SaleId {
  const id = parseSaleId(text);
  if (id === undefined) throw new InvalidArgumentError("It must be a decimal id.");
  return id;
}

function time(text: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError("It must be a time with its offset, like 2030-01-31T20:00:00+08:00.");
  return ms;
}
