import type { Command } from "commander";
import type { Config } from "../config/options.ts";
import type { MadeAdmin } from "../engine/accounts/first-admin.ts";
import type { DemoShop } from "../engine/demo-shop.ts";
import { banner } from "./banner.ts";
import { addCommand, type CliDeps, type ConfigFlags } from "./program.ts";

export type RunningServer = {
  readonly url: string;
  /** Opens the demo shop if no demo sale is live. */
  readonly openDemoShop: () => Promise<DemoShop>;
  /** Resolves when a signal has stopped the server and everything in flight has its answer. */
  readonly stopped: Promise<void>;
};
export type ServeDeps = CliDeps & {
  /** `showAdmin` is told at once of the first admin that a start had to make: what fails later must not lose its password. */
  readonly serve: (config: Config, showAdmin: (admin: MadeAdmin) => void) => Promise<RunningServer>;
  /** The key that `start` begins with, which everybody knows. */
  readonly demoApiKey: string;
};

type ServeFlags = { host?: string; port?: string; dataDir?: string; roles?: string };

export function registerServe(program: Command, deps: ServeDeps): void {
  withServerFlags(addCommand(program, "serve", "Run the server with production rules (all roles in one process, unless told otherwise)."))
    .option("--roles <list>", "what this process does: api, worker, or api,worker (DOORBUSTER_ROLES)")
    .addHelpText(
      "after",
      "\nExamples:\n  DOORBUSTER_API_KEY_FILE=/run/secrets/api-key doorbuster serve --data-dir /var/lib/doorbuster\n  doorbuster serve --host 0.0.0.0 --port 8083\n  DOORBUSTER_MODE=sql DOORBUSTER_DATABASE_URL_FILE=/run/secrets/database-url doorbuster serve --roles api",
    )
    .action(async (flags: ServeFlags) => {
      const server = await deps.serve(deps.config(toEnvironment(flags)), (admin) => showFirstAdmin(deps, admin));
      await server.stopped;
    });
  addCommand(program, "worker", "Run what happens beside the requests: the same as serve --roles worker. Not in embedded mode.")
    .option("--data-dir <folder>", "folder of generated secrets (DOORBUSTER_DATA_DIR)")
    .addHelpText(
      "after",
      "\nOf any number of workers one at a time expires, settles and refunds; another takes over when it is gone.\n\nExamples:\n  DOORBUSTER_MODE=sql DOORBUSTER_DATABASE_URL_FILE=/run/secrets/database-url doorbuster worker",
    )
    .action(async (flags: ServeFlags) => {
      const server = await deps.serve(deps.config(toEnvironment({ ...flags, roles: "worker" })), (admin) => showFirstAdmin(deps, admin));
      await server.stopped;
    });
  withServerFlags(addCommand(program, "start", "Run the server for a first try: development rules, a demo key and a demo shop."))
    .addHelpText("after", "\nExamples:\n  npm start\n  npx doorbuster start --port 9000")
    .action(async (flags: ServeFlags) => {
      const config = deps.config(toEnvironment(flags), {
        DOORBUSTER_ENV: "development",
        DOORBUSTER_API_KEY: deps.demoApiKey,
        DOORBUSTER_LOG_FORMAT: "plain",
      });
      const server = await deps.serve(config, (admin) => showFirstAdmin(deps, admin));
      if (config.env === "development") {
        const { live } = await server.openDemoShop();
        deps.console.err(
          banner({
            url: server.url,
            dataDir: config.dataDir,
            apiKey: config.apiKey === deps.demoApiKey ? deps.demoApiKey : undefined,
            saleId: live.id,
          }),
        );
      }
      await server.stopped;
    });
}

/** A made password is shown here and nowhere else: it is in no log. */
function showFirstAdmin({ console }: CliDeps, { username, password }: MadeAdmin): void {
  if (password === undefined) return;
  console.err(
    `doorbuster: made the first admin "${username}" with the password "${password}". It is shown this once: log in and change it.\n`,
  );
}

export function withServerFlags(command: Command): Command {
  return command
    .option("--host <address>", "address to listen on (DOORBUSTER_HTTP_HOST)")
    .option("--port <number>", "port to listen on, 0 for a free one (DOORBUSTER_HTTP_PORT)")
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)");
}

export function toEnvironment({ host, port, dataDir, roles }: ServeFlags): ConfigFlags {
  return { DOORBUSTER_HTTP_HOST: host, DOORBUSTER_HTTP_PORT: port, DOORBUSTER_DATA_DIR: dataDir, DOORBUSTER_ROLES: roles };
}
