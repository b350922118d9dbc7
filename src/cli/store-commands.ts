import type { Command } from "commander";
import type { Config } from "../config/options.ts";
import type { DemoShop } from "../engine/demo-shop.ts";
import { addCommand, type CliDeps } from "./program.ts";
import { ProgressLine } from "./progress.ts";

export type StoreCommandDeps = CliDeps & {
  /** Brings the store to this version's schema; gives the names of all its migrations. */
  readonly migrate: (config: Config) => Promise<readonly string[]>;
  readonly seed: (config: Config) => Promise<DemoShop>;
};

/** Commands that work on a store no server is using. */
export function registerStoreCommands(program: Command, deps: StoreCommandDeps): void {
  addCommand(program, "migrate", "Bring the store to this version's schema. Safe to repeat; a starting server does the same.")
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)")
    .option("--json", "print one line of JSON")
    .addHelpText("after", "\nExamples:\n  doorbuster migrate --data-dir /var/lib/doorbuster")
    .action(async (flags: { dataDir?: string; json?: boolean }) => {
      const migrations = await deps.migrate(deps.config({ DOORBUSTER_DATA_DIR: flags.dataDir }));
      if (flags.json) deps.console.out(`${JSON.stringify({ migrations })}\n`);
      else deps.console.out(`The store is up to date: ${migrations.join(", ")}.\n`);
    });
  addCommand(program, "seed", "Put the demo shop into a store: three products, one sale live, one to start, one ended.")
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)")
    .option("--json", "print one line of JSON")
    .addHelpText("after", "\nExamples:\n  doorbuster seed --data-dir ./var")
    .action(async (flags: { dataDir?: string; json?: boolean }) => {
      const config = deps.config({ DOORBUSTER_DATA_DIR: flags.dataDir });
      const progress = new ProgressLine(deps.console);
      progress.show({ what: "Making the demo shop", note: `in "${config.dataDir}"` });
      const { live, created } = await deps.seed(config).finally(() => progress.end());
      if (flags.json) deps.console.out(`${JSON.stringify({ live: live.id, created: created.map((sale) => sale.id) })}\n`);
      else deps.console.out(`Created ${created.length} sales; sale ${live.id} ("${live.name}") is live.\n`);
    });
}
