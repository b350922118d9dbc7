/**
 * Whether an engine can be had, and how: by a URL that the environment gives, by the programs of its packages, by
 * installing those, or not. Not at all is no silent pass: it is told with a reason and a remedy, and in CI it is a failure.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./programs.ts";

export const engineNames = ["mariadb", "postgres", "redis", "rabbitmq"] as const;
export type EngineName = (typeof engineNames)[number];
/** What a test does with it: speak to it, or kill, freeze and damage it, which takes one of our own. */
export type Need = "url" | "own";

export type EngineKind = {
  readonly title: string;
  readonly variable: string;
  readonly programs: readonly string[];
  readonly debianPackage: string;
};

// oxfmt-ignore
export const engineKinds: Readonly<Record<EngineName, EngineKind>> = {
  mariadb: { title: "MariaDB", variable: "DOORBUSTER_TEST_MARIADB_URL", programs: ["mariadbd", "mariadb-install-db", "mariadb"], debianPackage: "mariadb-server" },
  postgres: { title: "PostgreSQL", variable: "DOORBUSTER_TEST_POSTGRES_URL", programs: ["initdb", "postgres", "psql"], debianPackage: "postgresql" },
  redis: { title: "Redis", variable: "DOORBUSTER_TEST_REDIS_URL", programs: ["redis-server", "redis-cli"], debianPackage: "redis-server" },
  rabbitmq: { title: "RabbitMQ", variable: "DOORBUSTER_TEST_RABBITMQ_URL", programs: ["rabbitmq-server", "erl", "epmd"], debianPackage: "rabbitmq-server" },
};

export type Facts = {
  readonly url?: string | undefined;
  readonly isLinux: boolean;
  readonly hasPrograms: boolean;
  /** Root on Debian or what is made from it. */
  readonly mayInstall: boolean;
  /** What apt-get said when it was tried. */
  readonly installError?: string | undefined;
  readonly isCi: boolean;
};

export type Decision =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "own" }
  | { readonly kind: "install" }
  | { readonly kind: "none"; readonly reason: string; readonly remedy: string; readonly fails: boolean };

export function decide({ title, variable, debianPackage }: EngineKind, need: Need, facts: Facts): Decision {
  const { url, isLinux, hasPrograms, mayInstall, installError, isCi } = facts;
  const none = (reason: string, remedy: string): Decision => ({ kind: "none", reason, remedy, fails: isCi });
  const install = `apt-get install ${debianPackage}`;
  if (need === "url" && url !== undefined) return { kind: "url", url };
  if (!isLinux) return none(`${title} of our own runs on Linux only`, need === "url" ? `set ${variable}` : "run the tests on Linux");
  if (hasPrograms) return { kind: "own" };
  if (url !== undefined) return none(`the server of ${variable} is not ours to kill, and ${title} is not installed`, install);
  if (installError !== undefined)
    return none(`${title} is not installed, and cannot be: ${installError}`, `${install}, or set ${variable}`);
  if (mayInstall) return { kind: "install" };
  return none(`${title} is not installed`, `${install}, or set ${variable}`);
}

const decided = new Map<string, Decision>();
const installs = new Map<EngineName, string | undefined>();

/** Decides once in this process, and installs what is to be installed. */
export function availabilityOf(name: EngineName, need: Need): Decision {
  const key = `${name} ${need}`;
  const known = decided.get(key);
  if (known !== undefined) return known;
  const decision = decideHere(name, need);
  decided.set(key, decision);
  tell(name, decision);
  return decision;
}

const told = new Set<string>();

/** Says on stderr what is skipped, once: the run may show no titles of skipped tests. Tests that fail say so themselves. */
export function tell(name: EngineName, decision: Decision): void {
  if (decision.kind !== "none" || decision.fails) return;
  const text = `SKIPPED: tests on ${engineKinds[name].title}: ${decision.reason}. ${helpOf(decision)}`;
  if (!told.has(text)) say(text);
  told.add(text);
}

export const helpOf = ({ remedy }: { readonly remedy: string }): string => `What would help: ${remedy}`;

function decideHere(name: EngineName, need: Need): Decision {
  const kind = engineKinds[name];
  const decision = decide(kind, need, factsOf(kind));
  if (decision.kind !== "install") return decision;
  // Tried once, whatever comes of it.
  if (!installs.has(name)) installs.set(name, install(kind));
  return decide(kind, need, factsOf(kind, installs.get(name)));
}

function factsOf({ variable, programs }: EngineKind, installError?: string): Facts {
  const url = process.env[variable];
  return {
    url: url === "" ? undefined : url,
    isLinux: process.platform === "linux",
    hasPrograms: programs.every((program) => findProgram(program) !== undefined),
    mayInstall: process.getuid?.() === 0 && existsSync("/etc/debian_version") && findProgram("apt-get") !== undefined,
    installError,
    isCi: (process.env["CI"] ?? "") !== "" && process.env["CI"] !== "false",
  };
}

const installMaxMs = 900_000;

/** The error's text, or undefined when the programs are there. */
function install({ title, debianPackage, programs }: EngineKind): string | undefined {
  say(`${title} is missing, so apt-get installs "${debianPackage}" now (its service is not started); this takes a minute`);
  const script = join(import.meta.dirname, "install-packages.sh");
  const { status, stdout, stderr, error } = spawnSync("/bin/sh", [script, debianPackage], { encoding: "utf8", timeout: installMaxMs });
  if (programs.every((program) => findProgram(program) !== undefined)) return undefined;
  const said = error === undefined ? `${stdout}${stderr}`.trim().split("\n").slice(-3).join(" ") : String(error);
  return `apt-get ended with ${status}: ${said}`;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
