import type { Command } from "commander";
import type { Config } from "../config/options.ts";
import type { ResetAnswer } from "../engine/accounts/first-admin.ts";
import { adminUsernameDefault } from "../engine/accounts/first-admin.ts";
import { addCommand, CommandFailed, type CliDeps } from "./program.ts";

export type AdminDeps = CliDeps & {
  readonly resetPassword: (config: Config, username: string) => Promise<ResetAnswer>;
  /** False when the data folder holds none. */
  readonly putTokenSecretAside: (config: Config) => boolean;
};

/** For the operator at the machine: what no request may do. */
export function registerAdmin(program: Command, deps: AdminDeps): void {
  const admin = addCommand(program, "admin", "Help an admin who is locked out.").addHelpText(
    "after",
    "\nExamples:\n  doorbuster admin reset-password",
  );
  addCommand(
    admin,
    "reset-password",
    "Give an account a new password, shown once. Its second factor, ban and sessions end. Stop the server first.",
  )
    .argument("[username]", "the account", adminUsernameDefault)
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)")
    .addHelpText(
      "after",
      "\nExamples:\n  doorbuster admin reset-password\n  doorbuster admin reset-password ann --data-dir /var/lib/doorbuster",
    )
    .action(async (username: string, flags: { dataDir?: string }) => {
      const answer = await deps.resetPassword(deps.config({ DOORBUSTER_DATA_DIR: flags.dataDir }), username);
      if (answer.kind !== "reset") throw new CommandFailed(`Reset the password: there is no account "${username}"`);
      deps.console.out(`${answer.password}\n`);
    });
  const keys = addCommand(program, "keys", "Change the secret that signs access tokens.").addHelpText(
    "after",
    "\nExamples:\n  doorbuster keys rotate",
  );
  addCommand(keys, "rotate", "Put the data folder's token secret aside. The next start makes a new one and still takes tokens of the old.")
    .option("--data-dir <folder>", "folder of the database (DOORBUSTER_DATA_DIR)")
    .addHelpText("after", "\nExamples:\n  doorbuster keys rotate --data-dir /var/lib/doorbuster && systemctl restart doorbuster")
    .action((flags: { dataDir?: string }) => {
      const config = deps.config({ DOORBUSTER_DATA_DIR: flags.dataDir });
      if (config.tokenSecret !== undefined)
        throw new CommandFailed(
          "Rotate the token secret: it is set in the configuration; set the new one there and the old one as token.secret_previous",
        );
      if (!deps.putTokenSecretAside(config)) throw new CommandFailed(`Rotate the token secret: "${config.dataDir}" holds none`);
      deps.console.out(
        "The token secret is put aside. Restart the server: it makes a new one, and takes tokens of the old one until they expire.\n",
      );
    });
}
