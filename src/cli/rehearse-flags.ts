/** The flags of `rehearse`, read into what the engine asks for. Every mistake is one line that names its flag. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import {
  arrivalsOf,
  curveKinds,
  curveOf,
  durationMaxMs,
  parseCurve,
  problemOfCurve,
  rateMax,
  type Curve,
  type CurveKind,
} from "../engine/rehearsal/curve.ts";
import type { Config } from "../config/options.ts";
import type { DeploymentOptions } from "../engine/rehearsal/deployment.ts";
import { guardDefaults } from "../engine/rehearsal/guard.ts";
import {
  clicksAgainMax,
  leadMaxMs,
  rehearsalBuyersMax,
  rehearsalConnectionsMax,
  rehearsalDefaults,
  repeatsDefault,
  type Lead,
  type RehearsalOptions,
} from "../engine/rehearsal/plan.ts";
import { CommandFailed, exitCodes } from "./program.ts";

export type RehearseFlags = {
  buyers?: number;
  stock?: number;
  connections: number;
  payWindow?: number;
  seed: number;
  curve?: string;
  rate?: number;
  duration?: number;
  lead?: number;
  polls?: number;
  repeats: number;
  clicks: number;
  url?: string;
  apiKeyFile?: string;
  like?: string;
  limit?: number;
  price?: number;
  duringSale?: boolean;
  yesLoad?: string;
  payments: "none" | "simulated";
  errorLimit: number;
  p99Limit: number;
  dataDir?: string;
  json?: string;
  html?: string;
  lang: "en" | "zh" | "both";
  keep?: boolean;
};

const stockMax = 100_000;
const seedMax = 2_147_483_647;
const payWindowMaxS = 86_400;
const priceMax = 1_000_000_000;
const deploymentDefaults = { stock: 100, payWindowS: 900, rate: 200, durationS: 20, leadS: 3, windowMs: 3_600_000 } as const;
const currency = "CNY";

export function addRehearseFlags(command: Command): Command {
  return command
    .optionsGroup("The crowd:")
    .option(
      "--buyers <number>",
      `buyers in the crowd, without a curve (default: ${rehearsalDefaults.buyers})`,
      integer(1, rehearsalBuyersMax),
    )
    .option("--connections <number>", "requests in flight at once", integer(1, rehearsalConnectionsMax), rehearsalDefaults.connections)
    .option("--seed <number>", "the crowd's seed: the same one behaves the same way", integer(0, seedMax), 1)
    .option("--repeats <number>", "how often what was not tried or got no answer is asked again", integer(0, 100), repeatsDefault)
    .option("--clicks <number>", 'with a curve: how often one told "all taken" may click again', integer(0, clicksAgainMax), 0)
    .optionsGroup("When it comes (with --url always by a curve):")
    .addOption(curveOption())
    .option("--rate <number>", `highest buyers per second (default: ${deploymentDefaults.rate})`, integer(1, rateMax))
    .option(
      "--duration <seconds>",
      `from opening to the last buyer (default: ${deploymentDefaults.durationS})`,
      integer(1, durationMaxMs / 1000),
    )
    .option("--lead <seconds>", `how long before the opening it looks (default: ${deploymentDefaults.leadS})`, integer(0, leadMaxMs / 1000))
    .option("--polls <number>", "looks per second in that time (default: a fifth of the rate)", integer(0, rateMax))
    .optionsGroup("The sale:")
    .option(
      "--stock <number>",
      `units on sale (default: ${rehearsalDefaults.stock}; with --url ${deploymentDefaults.stock})`,
      integer(1, stockMax),
    )
    .option("--pay-window <seconds>", "time to pay (default: 5; with --url 900)", integer(1, payWindowMaxS))
    .option("--like <sale id>", "with --url: terms and stock of this sale, which is only read")
    .option("--limit <number>", "with --url: units per buyer (default: 1)", integer(1, 10_000))
    .option("--price <number>", "with --url: price in the smallest unit (default: 19900)", integer(1, priceMax))
    .optionsGroup("A running deployment:")
    .option("--url <origin>", "rehearse there, in a shadow sale with stock of its own")
    .option("--api-key-file <file>", "its server key (DOORBUSTER_API_KEY_FILE, DOORBUSTER_API_KEY)")
    .option("--yes-load <host>", "you may put load on this host; asked for when it is not this machine")
    .option("--during-sale", "go on although a real sale is live")
    .addOption(
      new Option("--payments <how>", "simulated only where nobody's money moves; otherwise nobody pays")
        .choices(["none", "simulated"])
        .default("none"),
    )
    .option("--error-limit <percent>", "stop at more failures than this", integer(0, 100), guardDefaults.errorShareMax * 100)
    .option("--p99-limit <ms>", "stop at a slower p99 than this", integer(1, 600_000), guardDefaults.p99MaxMs)
    .option(
      "--data-dir <folder>",
      "its data folder, if at hand: verify judges the store as well; in sql and queued mode that of DOORBUSTER_DATABASE_URL",
    )
    .optionsGroup("The report:")
    .option("--json <file>", "also write the report as JSON, - for standard output in place of the page")
    .option("--html <file>", "also write it as one HTML page with charts")
    .addOption(new Option("--lang <language>", "of the HTML page; both can be switched").choices(["en", "zh", "both"]).default("both"))
    .option("--keep", "leave the store, the crowd's record and the server's log in place")
    .optionsGroup("Options:");
}

/** The choices are offered, and a file's name is as good: so they are told, and not enforced. */
function curveOption(): Option {
  const option = new Option("--curve <kind or file>", 'a shape, or a file of lines "seconds rate"');
  option.argChoices = [...curveKinds];
  return option;
}

/** Against a server of its own. */
export function ownOptions(flags: RehearseFlags): RehearsalOptions {
  for (const [flag, value] of Object.entries({
    "--like": flags.like,
    "--limit": flags.limit,
    "--price": flags.price,
    "--api-key-file": flags.apiKeyFile,
    "--yes-load": flags.yesLoad,
    "--during-sale": flags.duringSale,
    "--data-dir": flags.dataDir,
  }))
    if (value !== undefined) throw usage(`${flag} goes with --url only`);
  const { stock = rehearsalDefaults.stock, payWindow = rehearsalDefaults.payWindowMs / 1000 } = flags;
  const crowd = flags.curve === undefined ? withoutCurve(flags) : byCurve(flags, flags.curve);
  return { ...common(flags), ...crowd, stock, payWindowMs: payWindow * 1000 };
}

export type DeploymentRun = Omit<DeploymentOptions, "runId" | "client"> & {
  /** Options that lead to its store, if that is at hand. */
  readonly store: Readonly<Record<string, string>> | undefined;
};

/** Against a running deployment: all that does not come from elsewhere. */
export function deploymentOptions(flags: RehearseFlags & { url: string }, config: Config & { readonly apiKey: string }): DeploymentRun {
  const { like, stock, limit = 1, price = 19_900, payWindow = deploymentDefaults.payWindowS, payments, errorLimit, p99Limit } = flags;
  if (like !== undefined && (flags.limit !== undefined || flags.price !== undefined || flags.payWindow !== undefined))
    throw usage("--like takes limit, price and pay window from that sale: leave out --limit, --price and --pay-window");
  if (like !== undefined && !/^\d{1,19}$/.test(like)) throw usage(`--like: expected the id of a sale, got "${like.slice(0, 40)}"`);
  if (flags.buyers !== undefined) throw usage("--buyers: with --url the curve says how many come; use --rate and --duration");
  const own = {
    priceMinor: price,
    currency,
    stock: stock ?? deploymentDefaults.stock,
    perBuyerLimit: limit,
    payWindowSeconds: payWindow,
    windowMs: deploymentDefaults.windowMs,
  };
  return {
    url: originOf(flags.url),
    apiKey: config.apiKey,
    rehearsal: { ...common(flags), ...byCurve(flags, flags.curve ?? "spike") },
    terms: like === undefined ? own : { likeSaleId: like },
    stock,
    payments,
    duringSale: flags.duringSale ?? false,
    limits: { errorShareMax: errorLimit / 100, p99MaxMs: p99Limit },
    store: storeOf(config, flags.dataDir),
  };
}

/** A database server is known by the configuration, a folder because it was named. */
function storeOf({ mode, databaseUrl, redisUrl, brokerUrl, dataDir }: Config, folder: string | undefined): DeploymentRun["store"] {
  if (mode === "embedded" && folder === undefined) return undefined;
  return {
    DOORBUSTER_DATA_DIR: resolve(folder ?? dataDir),
    DOORBUSTER_MODE: mode,
    ...(databaseUrl !== undefined && { DOORBUSTER_DATABASE_URL: databaseUrl }),
    ...(redisUrl !== undefined && { DOORBUSTER_REDIS_URL: redisUrl }),
    ...(brokerUrl !== undefined && { DOORBUSTER_BROKER_URL: brokerUrl }),
  };
}

function common({ connections, seed, repeats, clicks }: RehearseFlags) {
  return { connections, seed, repeatsMax: repeats, clicksAgainMax: clicks };
}

function withoutCurve(flags: RehearseFlags): { buyers: number } {
  for (const [flag, value] of Object.entries({
    "--rate": flags.rate,
    "--duration": flags.duration,
    "--lead": flags.lead,
    "--polls": flags.polls,
  }))
    if (value !== undefined) throw usage(`${flag} goes with --curve or --url only`);
  return { buyers: flags.buyers ?? rehearsalDefaults.buyers };
}

function byCurve(flags: RehearseFlags, named: string): { buyers: number; curve: Curve; lead: Lead } {
  if (flags.buyers !== undefined) throw usage("--buyers: the curve says how many come; use --rate and --duration");
  const { rate = deploymentDefaults.rate, duration = deploymentDefaults.durationS, lead = deploymentDefaults.leadS } = flags;
  const kind = curveKinds.find((known) => known === named);
  if (kind === undefined && (flags.rate !== undefined || flags.duration !== undefined))
    throw usage("--curve: a file brings its own rates and seconds; leave out --rate and --duration");
  const curve = kind === undefined ? curveFromFile(named) : shapeOf(kind, rate, duration);
  const pollsPerSecond = flags.polls ?? Math.max(1, Math.round(rate / 5));
  return { buyers: arrivalsOf(curve), curve, lead: { ms: lead * 1000, pollsPerSecond } };
}

function shapeOf(kind: CurveKind, perSecond: number, durationS: number): Curve {
  const curve = curveOf(kind, { perSecond, durationMs: durationS * 1000 });
  const problem = problemOfCurve(curve);
  if (problem !== undefined) throw usage(`--rate, --duration: ${problem.problem}`);
  return curve;
}

function curveFromFile(path: string): Curve {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usage(`--curve: "${path}" is neither ${curveKinds.join(", ")} nor a file that can be read: ${why}`);
  }
  const curve = parseCurve(text);
  if ("problem" in curve) throw usage(`--curve: ${path}: ${curve.problem}`);
  return curve;
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:") || url.username !== "" || url.password !== "")
    throw usage(`--url: expected an address like https://shop.example:8083, got "${text.slice(0, 100)}"`);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") throw usage("--url: the address goes without path, query and fragment");
  return url.origin;
}

/** Whether load stays on this machine. */
export function isOwnMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

export const usage = (problem: string) => new CommandFailed(problem, exitCodes.usage);

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
    return value;
  };
}
