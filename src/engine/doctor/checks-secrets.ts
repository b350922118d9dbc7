/** Secrets that processes on one database must have alike, and where this one has them from. */
import { ok, warning, type Check, type Judgement } from "./finding.ts";

export type SharedSecret = {
  /** Its option, as a variable. */
  readonly option: string;
  readonly isSet: boolean;
  /** In the data folder, where a process keeps one that it made. */
  readonly file: string;
  readonly isThere: boolean;
};
export type SharedSecretsAt = { readonly secrets: readonly SharedSecret[]; readonly isProduction: boolean };

export const sharedSecretChecks: readonly Check<SharedSecretsAt>[] = [
  {
    id: "shared-secrets",
    why: "A process that makes a secret for itself takes no token, second factor or callback of the others",
    judge: ({ secrets, isProduction }) => secrets.map((secret) => judgementOf(secret, isProduction)),
  },
];

function judgementOf({ option, isSet, file, isThere }: SharedSecret, isProduction: boolean): Judgement {
  if (isSet) return ok(`${option} is set`);
  const found = isThere
    ? `${option} is not set, and "${file}" was made for this process alone`
    : `${option} is not set, and a start makes "${file}"`;
  if (!isProduction) return ok(found);
  const give = `readable by its user only, on every machine, and ${option}_FILE with its path in every process`;
  if (isThere) return warning(found, `The same for all: a copy of "${file}", ${give}`);
  const make = option.includes("CALLBACK") ? 'echo "whsec_$(openssl rand -base64 32)"' : "openssl rand -hex 32";
  return warning(found, `The same for all: ${make} > secret && chmod 600 secret; that file, ${give}`);
}
