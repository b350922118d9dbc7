import { parse } from "yaml";
import { didYouMean } from "../lib/did-you-mean.ts";
import { environmentName, options, type Config, type Option, type OptionName } from "./options.ts";

export type ConfigSources = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of the YAML file, if there is one, and its name for messages. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** By environment name: what a command begins with where the operator sets nothing. */
  readonly commandDefaults?: Readonly<Record<string, string>> | undefined;
  /** Reads the file that a `…_FILE` variable names. */
  readonly readText: (path: string) => string;
};
export type LoadedConfig =
  | { readonly kind: "loaded"; readonly config: Config }
  | { readonly kind: "wrong"; readonly problems: readonly string[] };

/** One line about the configuration: a wrong value, a name that no option has, or a secret that everybody knows. */
export type ConfigProblem = { readonly kind: "wrong" | "unknown" | "unsafe"; readonly text: string };
/** What could be read. Where an option is wrong its default stands, for who wants to look at the rest. */
export type ReadConfig = {
  readonly config: Config;
  readonly problems: readonly ConfigProblem[];
  /** Files that hold secrets, and what named them. */
  readonly secretFiles: readonly { readonly path: string; readonly source: string }[];
};

/** A key that examples show and everybody knows. */
export const demoApiKey = "demo-shop-key-0123456789-not-for-production";
const knownSecrets = new Set([demoApiKey, "changeme", "secret", "password"]);
/** What examples put where a secret belongs, however it was stretched to the length that is asked for. */
const placeholder = /change[-_]?me|not-for-production/i;
const repeatedLengthMax = 12;
const productionKeyLengthMin = 32;
/** Names the YAML file, and the runtime that bin/doorbuster.mjs starts; neither is an option of the program. */
const foreignVariables = ["DOORBUSTER_CONFIG", "DOORBUSTER_RUNTIME"];

type Raw = { readonly value: unknown; readonly source: string };
type Reading = {
  readonly sources: ConfigSources;
  readonly file: Map<string, unknown>;
  readonly known: Set<string>;
  /** Wrong values; what is unknown or unsafe is found afterwards. */
  readonly problems: string[];
  readonly secretFiles: Map<string, string>;
};

/** Reads every option, and says all that is wrong at once: one line per mistake, naming the option. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { config, problems } = readConfig(sources);
  return problems.length === 0 ? { kind: "loaded", config } : { kind: "wrong", problems: problems.map(({ text }) => text) };
}

export function readConfig(sources: ConfigSources): ReadConfig {
  const problems: string[] = [];
  const file = flatten(sources.file, problems);
  const reading: Reading = { sources, file, known: new Set(foreignVariables), problems, secretFiles: new Map() };
  const values: Record<string, unknown> = {};
  // Object.entries forgets that the keys are option names.
  for (const [name, option] of Object.entries(options) as [OptionName, Option][]) {
    const raw = rawOf(option, reading);
    values[name] = (raw === undefined ? undefined : valueOf(option, raw, problems)) ?? defaultOf(option);
  }
  // Every option of the table was put into values above, with the type its row gives.
  const config = values as Config;
  if (problems.length === 0) problems.push(...incomplete(config));
  const unknown = unknownNames(reading);
  // Of a configuration that is not what its author meant, only that is said.
  const unsafe = problems.length + unknown.length === 0 ? unsafeSecrets(config) : [];
  const secretFiles = [...reading.secretFiles].map(([path, source]) => ({ path, source }));
  return { config, problems: [...of("wrong", problems), ...of("unknown", unknown), ...of("unsafe", unsafe)], secretFiles };
}

const of = (kind: ConfigProblem["kind"], texts: readonly string[]): ConfigProblem[] => texts.map((text) => ({ kind, text }));

function rawOf(option: Option, { sources, file, known, problems, secretFiles }: Reading): Raw | undefined {
  const name = environmentName(option);
  const fromFile = file.get(option.path);
  file.delete(option.path);
  known.add(name);
  const isSecret = option.type.kind === "secret";
  if (isSecret) known.add(`${name}_FILE`);
  if (isSecret && fromFile !== undefined && sources.file !== undefined) secretFiles.set(sources.file.name, "configuration file");
  const text = sources.environment[name];
  const path = isSecret ? sources.environment[`${name}_FILE`] : undefined;
  if (text !== undefined && text !== "") {
    // Whichever won, somebody would believe in the other: after a rotation, in a key that no longer counts.
    if (path !== undefined && path !== "") problems.push(`${name} and ${name}_FILE are both set: keep one`);
    return { value: text, source: name };
  }
  if (path === undefined || path === "") {
    if (fromFile !== undefined) return { value: fromFile, source: `${sources.file?.name}: ${option.path}` };
    const value = sources.commandDefaults?.[name];
    return value === undefined ? undefined : { value, source: name };
  }
  secretFiles.set(path, `${name}_FILE`);
  try {
    return { value: sources.readText(path).trim(), source: `${name}_FILE` };
  } catch {
    problems.push(`${name}_FILE: the file "${path}" cannot be read`);
    return undefined;
  }
}

function defaultOf(option: Option): unknown {
  return option.type.kind === "list" ? listOf(String(option.default ?? "")) : option.default;
}

function valueOf({ type }: Option, { value, source }: Raw, problems: string[]): unknown {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  const shown = type.kind === "secret" ? "a value that is not" : `"${text}"`;
  const wrong = (wish: string, hint = ""): undefined => {
    problems.push(`${source}: expected ${wish}, got ${shown}${hint}`);
  };
  switch (type.kind) {
    case "integer": {
      const fits = /^\d{1,15}$/.test(text) && Number(text) >= type.min && Number(text) <= type.max;
      return fits ? Number(text) : wrong(`an integer from ${type.min} to ${type.max}`);
    }
    case "choice":
      return type.of.includes(text) ? text : wrong(`one of ${type.of.join(", ")}`, didYouMean(text, type.of));
    case "secret":
      if (text.length < type.lengthMin) return wrong(`at least ${type.lengthMin} characters`);
      return (type.pattern?.test(text) ?? true) && (type.fits?.(text) ?? true) ? text : wrong(type.hint ?? "another form");
    case "text":
      return type.pattern === undefined || type.pattern.test(text) ? text : wrong(type.hint ?? `text like ${type.pattern.source}`);
    case "list": {
      const list = listOf(text);
      return type.each === undefined || list.every(type.each) ? list : wrong(type.hint ?? "a list of other things");
    }
    default:
      return type satisfies never;
  }
}

const listOf = (text: string) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function unknownNames({ sources, file, known }: Reading): string[] {
  const paths = Object.values(options).map((option) => option.path);
  const keys = [...file.keys()].map((key) => `${sources.file?.name}: unknown option "${key}"${didYouMean(key, paths)}`);
  const names = Object.keys(sources.environment).filter((name) => name.startsWith("DOORBUSTER_") && !known.has(name));
  return [...keys, ...names.map((name) => `${name}: unknown option${didYouMean(name, [...known])}`)];
}

/** Options that mean nothing without one another. */
function incomplete(config: Config): string[] {
  return [...incompleteMode(config), ...incompleteJwks(config)];
}

/** What each mode needs; an address that nothing uses was meant for another mode. */
const addressesOf: Readonly<Record<string, readonly ("databaseUrl" | "redisUrl" | "brokerUrl")[]>> = {
  embedded: [],
  sql: ["databaseUrl"],
  queued: ["databaseUrl", "redisUrl", "brokerUrl"],
};

function incompleteMode(config: Config): string[] {
  const { mode, roles } = config;
  const problems: string[] = [];
  const wanted = addressesOf[mode] ?? [];
  for (const name of ["databaseUrl", "redisUrl", "brokerUrl"] as const) {
    const variable = environmentName(options[name]);
    const isSet = config[name] !== undefined;
    if (wanted.includes(name) && !isSet) problems.push(`${variable}: expected in ${mode} mode, got nothing`);
    if (!wanted.includes(name) && isSet) {
      const meant = name === "databaseUrl" ? "sql" : "queued";
      problems.push(`${variable}: set, but in ${mode} mode nothing uses it; did you mean ${environmentName(options.mode)}=${meant}?`);
    }
  }
  if (roles.length === 0) problems.push(`${environmentName(options.roles)}: expected api, worker, or both, got nothing`);
  if (mode === "embedded" && new Set(roles).size < 2)
    problems.push(`${environmentName(options.roles)}: expected api and worker in embedded mode, for one process does everything there`);
  return problems;
}

function incompleteJwks(config: Config): string[] {
  const together = ["jwksUrl", "jwksIssuer", "jwksAudience"] as const;
  const missing = together.filter((name) => config[name] === undefined);
  if (missing.length === 0 || missing.length === together.length) return [];
  return missing.map((name) => `${environmentName(options[name])}: expected beside the other options of jwks, got nothing`);
}

/** What must not run in production: keys that everybody knows. */
function unsafeSecrets(config: Config): string[] {
  if (config.env !== "production") return [];
  const problems: string[] = [];
  for (const name of ["databaseUrl", "redisUrl", "brokerUrl"] as const)
    if (hasEverybodysPassword(config[name]))
      problems.push(`${environmentName(options[name])}: a password that everybody knows is refused in production`);
  for (const name of ["apiKey", "tokenSecret", "tokenSecretPrevious", "accountSecret", "adminPassword", "callbackSecret"] as const) {
    const value = config[name];
    if (value === undefined) continue;
    const variable = environmentName(options[name]);
    if (isGuessable(value))
      problems.push(`${variable}: a default or guessable value is refused in production; make one with "openssl rand -hex 32"`);
    else if (name === "apiKey" && value.length < productionKeyLengthMin)
      problems.push(
        `${variable}: expected at least ${productionKeyLengthMin} characters in production; make one with "openssl rand -hex 32"`,
      );
  }
  return problems;
}

/** None at all may be right: a database can know its users otherwise. */
function hasEverybodysPassword(url: string | undefined): boolean {
  if (url === undefined) return false;
  const { username, password } = new URL(url);
  const plain = decodeURIComponent(password);
  return (
    plain !== "" && (knownSecrets.has(plain) || placeholder.test(plain) || plain === username || plain === "root" || plain === "doorbuster")
  );
}

function isGuessable(secret: string): boolean {
  if (knownSecrets.has(secret) || placeholder.test(secret) || new Set(secret).size < 6) return true;
  // A short piece over and over is found in itself, moved by that piece.
  const repeated = `${secret}${secret}`.indexOf(secret, 1);
  return repeated <= repeatedLengthMax && repeated < secret.length;
}

/** `{http: {port: 1}}` as `http.port` → 1. */
function flatten(file: ConfigSources["file"], problems: string[]): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  if (file === undefined) return flat;
  let tree: unknown;
  try {
    tree = parse(file.text);
  } catch (error) {
    problems.push(`${file.name}: not YAML: ${error instanceof Error ? error.message.split("\n")[0] : ""}`);
    return flat;
  }
  if (tree === null || tree === undefined) return flat;
  if (typeof tree === "object" && !Array.isArray(tree)) walk(tree, "", flat);
  else problems.push(`${file.name}: expected options by name`);
  return flat;
}

function walk(node: object, prefix: string, flat: Map<string, unknown>): void {
  for (const [key, value] of Object.entries(node)) {
    const path = prefix + key;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) walk(value, `${path}.`, flat);
    else if (value !== null) flat.set(path, value);
  }
}
