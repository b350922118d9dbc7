/**
 * The only file that knows everything: it puts the adapters under the engine, the engine under the API, and all of it
 * under the command line.
 *
 *   start   store (locked) ─► clock and ids behind its newest ─► engine ─► listener ─► workers
 *   stop    not ready ─► new purchases refused ─► queued ones answered ─► workers ─► listener ─► store
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { createAccountSecrets } from "./adapters/auth/account-secrets.ts";
import { createForeignTokens } from "./adapters/auth/foreign-tokens.ts";
import { createOneTimeCodes } from "./adapters/auth/one-time-codes.ts";
import { inlinePasswords, ThreadedPasswords } from "./adapters/auth/passwords.ts";
import { createServerKeys } from "./adapters/auth/server-keys.ts";
import { createEventTickets } from "./adapters/auth/event-tickets.ts";
import { openLog, type OpenedLog } from "./adapters/log/open-log.ts";
import { createTokens, tokenKeyOf, type TokenOptions } from "./adapters/auth/tokens.ts";
import { callbackPoster } from "./adapters/payment/callback-poster.ts";
import { ExternalProvider } from "./adapters/payment/external-provider.ts";
import { FileJournal } from "./adapters/payment/provider-journal.ts";
import { SimulatedProvider, simulatedProviderName } from "./adapters/payment/simulated-provider.ts";
import { parseWebhookSecret, WebhookVerifier } from "./adapters/payment/webhook-signature.ts";
import { ChildHost } from "./adapters/load/child-host.ts";
import { describeMachine } from "./adapters/load/machine.ts";
import { RemoteSite } from "./adapters/load/remote-site.ts";
import { brokerFacts } from "./adapters/rabbitmq/broker-facts.ts";
import { cacheFacts } from "./adapters/redis/cache-facts.ts";
import { serverFacts } from "./adapters/sql/server-facts.ts";
import { ServerLines } from "./adapters/sql/server-lines.ts";
import { storeFacts } from "./adapters/sql/store-facts.ts";
import { watchClock } from "./adapters/system/clock-facts.ts";
import { diskFacts, folderFacts, logObstacle } from "./adapters/system/disk-facts.ts";
import { portFacts } from "./adapters/system/port-facts.ts";
import { memoryFacts, processFacts } from "./adapters/system/process-facts.ts";
import { generatedSecrets, secretFileFacts } from "./adapters/system/secret-file-facts.ts";
import { previousSecret, putAsideSecret, secretFromFile } from "./adapters/system/secret-file.ts";
import { SystemClock } from "./adapters/system/system-clock.ts";
import type { SystemEntropy } from "./adapters/system/system-entropy.ts";
import { SystemTasks } from "./adapters/system/system-tasks.ts";
import { BundledFiles } from "./adapters/web/bundled-files.ts";
import { registerCompletion } from "./cli/completion.ts";
import { registerAdmin } from "./cli/admin.ts";
import { registerDoctor } from "./cli/doctor.ts";
import { CommandFailed, ConfigWrong, newProgram, runProgram, type CliDeps } from "./cli/program.ts";
import { registerExport } from "./cli/export.ts";
import { registerRehearse, type RehearseCommandDeps } from "./cli/rehearse.ts";
import { registerServe, type RunningServer, type ServeDeps } from "./cli/serve.ts";
import { registerStoreCommands } from "./cli/store-commands.ts";
import { registerVerify } from "./cli/verify.ts";
import { demoApiKey, loadConfig, readConfig, type ConfigSources, type ReadConfig } from "./config/load.ts";
import type { Config } from "./config/options.ts";
import type { ForeignShop } from "./engine/accounts/exchange-token.ts";
import { ensureAdmin, resetPassword } from "./engine/accounts/first-admin.ts";
import { AccessFollower } from "./engine/accounts/follow-access.ts";
import { RevocationBoard } from "./engine/accounts/revocation-board.ts";
import { ensureShop } from "./engine/accounts/shops.ts";
import { SignInLimits } from "./engine/accounts/sign-in-limits.ts";
import { endsWithin } from "./engine/ends-within.ts";
import { openDemoShop } from "./engine/demo-shop.ts";
import { rehearseDeployment } from "./engine/rehearsal/deployment.ts";
import { Halt } from "./engine/rehearsal/halt.ts";
import { rehearse } from "./engine/rehearsal/rehearse.ts";
import { createApp, type App } from "./http/app.ts";
import type { HttpOptions } from "./http/deps.ts";
import { openEngine, type Engine } from "./modes/engine.ts";
import { startWorkers } from "./modes/loops.ts";
import { openQueueAudit } from "./modes/queue-audit.ts";
import { reopenDelayMs } from "./modes/sql.ts";
import { knownSecretsDigest, migrateStore, openAuditSource, openExports, sharedProviderLines } from "./modes/stores.ts";
import type { KeyRing } from "./ports/key-ring.ts";
import type { Log } from "./ports/log.ts";
import type { PaymentProvider } from "./ports/payment-provider.ts";

const root = join(import.meta.dirname, "..");
// The file is this package's own: npm wants it to have a version, and the launcher its Bun.
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string; dependencies: { bun: string } };
const { version } = manifest;
const providerJournal = "simulated-provider.jsonl";

/** The log, which is told when the process ends and, on SIGHUP, when its file was moved away. */
function openLogOf(config: Config): OpenedLog {
  const { logLevel: level, logFormat: format, logFile: path, logRotateBytes: rotateBytes, logRotateKeep: keep } = config;
  const target = path === undefined ? ({ kind: "descriptor", fd: 2 } as const) : ({ kind: "file", path, rotateBytes, keep } as const);
  const log = openLog({ level, format, target, nowMs: () => Date.now() });
  if (target.kind === "file") process.on("SIGHUP", () => log.reopen());
  // Only looks: the crash goes on, and ends in the flush below.
  process.on("uncaughtExceptionMonitor", (error) => log.error("the process crashed", { err: error }));
  // Whoever was not waited for and failed has left something half done. Of the runtimes one goes on by itself, the other does not.
  process.on("unhandledRejection", (error) => {
    log.error("the process crashed", { err: error });
    process.exit(1);
  });
  process.once("exit", () => log.flushSync());
  return log;
}

/** Who takes the money, by name, and who checks the callbacks. */
async function openProviders(config: Config, engine: Engine, callbackUrl: () => string) {
  const { clock, tasks, entropy, store } = engine;
  const external = new ExternalProvider();
  const providers = new Map<string, PaymentProvider>([[external.name, external]]);
  const wanted = config.paymentProvider ?? (config.env === "development" ? "simulated" : "external");
  if (wanted === "external")
    return { providers, provider: external, callbackVerifiers: new Map<string, WebhookVerifier>(), close: async () => {} };
  const made = () => `whsec_${Buffer.from(entropy.secret(32), "base64url").toString("base64")}`;
  const secret = parseWebhookSecret(config.callbackSecret ?? secretFromFile(join(config.dataDir, "callback.secret"), made));
  if (secret === undefined) throw new ConfigWrong(["callback.secret: expected whsec_ and 24 to 64 bytes in base64"]);
  const journal = store.shared ? new ServerLines(store.shared.database) : await FileJournal.open(join(config.dataDir, providerJournal));
  const send = callbackPoster({ url: callbackUrl, secrets: [secret], clock });
  // Only a process that answers callbacks has somewhere to send them.
  const simulated = await SimulatedProvider.open({ journal, clock, tasks, entropy, send, resumes: config.roles.includes("api") });
  providers.set(simulated.name, simulated);
  const callbackVerifiers = new Map([[simulatedProviderName, new WebhookVerifier([secret])]]);
  return { providers, provider: simulated, callbackVerifiers, close: () => simulated.close() };
}

/** The newest secret mints; the one before it still checks, for as long as the operator leaves it. */
function signingOf(config: Config, { store, entropy }: Engine): TokenOptions {
  const path = join(config.dataDir, "token.secret");
  const secret = config.tokenSecret ?? secretFromFile(path, () => entropy.secret(32));
  const previous = config.tokenSecretPrevious ?? previousSecret(path);
  const keys = previous === undefined || previous === secret ? [] : [tokenKeyOf(previous)];
  return { keys: [tokenKeyOf(secret), ...keys], issuer: store.installation, entropy };
}

/** Accounts, shops and keys: what is remembered of them is read before the first request. */
async function openPeople(config: Config, engine: Engine, { keyRing, showAdmin }: { keyRing: KeyRing; showAdmin: ShowAdmin }) {
  const { store, clock, tasks, entropy, catalogue, ids } = engine;
  const { accounts } = store;
  const accountSecret = config.accountSecret ?? secretFromFile(join(config.dataDir, "account.secret"), () => entropy.secret(32));
  const passwords = new ThreadedPasswords({ after: (ms, run) => tasks.after(ms, run) });
  const revocations = new RevocationBoard();
  const follower = new AccessFollower({ accounts, revocations, keyRing, clock });
  await ensureShop({ accounts, clock }, config.shop);
  await follower.start();
  const given = { username: config.adminUsername, password: config.adminPassword };
  const firstAdmin = await ensureAdmin({ accounts, catalogue, passwords, clock, tasks, ids }, entropy, given);
  if (firstAdmin.kind === "made") showAdmin(firstAdmin);
  if (firstAdmin.kind === "wrong") throw new ConfigWrong([`admin: ${firstAdmin.problem}`]);
  const people = {
    accounts,
    revocations,
    passwords,
    keyRing,
    secrets: createAccountSecrets(Buffer.from(accountSecret), entropy),
    codes: createOneTimeCodes("Doorbuster"),
    limits: new SignInLimits({ perAccount: config.signInPerAccount, perAddress: config.signInPerAddress }),
    foreignShop: openForeignShop(config),
  };
  return { people, follower, closePeople: () => passwords.close() };
}

function openForeignShop({ jwksUrl, jwksIssuer: issuer, jwksAudience: audience, shop: merchant }: Config): ForeignShop | undefined {
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return undefined;
  return { merchant, tokens: createForeignTokens({ url: new URL(jwksUrl), issuer, audience }) };
}

type ShowAdmin = Parameters<ServeDeps["serve"]>[1];

async function serve(config: Config, showAdmin: ShowAdmin): Promise<RunningServer> {
  const opened = new AsyncDisposableStack();
  try {
    return await startServer(config, opened, showAdmin);
  } catch (error) {
    // What stays open keeps the process alive, and with it the lock of the data folder.
    await opened.disposeAsync();
    throw error;
  }
}

/** What it opens goes onto the stack too, for a start that fails half-way. */
async function startServer(config: Config, opened: AsyncDisposableStack, showAdmin: ShowAdmin): Promise<RunningServer> {
  const log = openLogOf(config);
  const engine = await openEngine(config, log, version);
  const { store, tasks, entropy, acceptance } = engine;
  opened.defer(() => store.close());
  let leaving = false;
  let draining = false;
  let url = "";
  const providers = await openProviders(config, engine, () => `${url}/api/v1/payments/callback/${simulatedProviderName}`);
  opened.defer(() => providers.close());
  const signing = signingOf(config, engine);
  const keys = config.apiKey === undefined ? [] : [{ id: "bootstrap", issuer: config.shop, secret: config.apiKey }];
  const keyRing = createServerKeys(keys, entropy);
  const { people, follower, closePeople } = await openPeople(config, engine, { keyRing, showAdmin });
  opened.defer(closePeople);
  const app = createApp({
    ...engine,
    tokens: createTokens(signing),
    eventTickets: createEventTickets(signing),
    serverKeys: people.keyRing,
    revocations: people.revocations,
    people,
    provider: providers.provider,
    callbackVerifiers: providers.callbackVerifiers,
    isLeaving: () => leaving,
    isDraining: () => draining,
    log,
    logCounts: log.counts,
    requestLog: requestLogOf(config, entropy),
    web: openWeb(config, log),
    options: httpOptionsOf(config),
  });
  const { listener, metrics } = await openListeners(config, app);
  opened.defer(async () => void (await Promise.all([listener?.stop(0), metrics?.stop(0)])));
  url = listener?.url ?? "";
  const stopWorkers = startWorkers(engine, { providers: providers.providers, follower, roles: config.roles }, log);
  if (keys.length === 0) log.warn("no server key: set DOORBUSTER_API_KEY to manage the shop");
  tellOfOthers(engine, log);
  const { mode, env, roles } = config;
  const data = store.shared?.database.name ?? config.dataDir;
  log.info(listener === undefined ? "working" : "listening", { url, metrics: metrics?.url, mode, env, data, roles });

  const stop = async (signal: string) => {
    if (leaving) return;
    leaving = true;
    log.info("stopping", { signal });
    if (config.drainNoticeMs > 0) await tasks.sleep(config.drainNoticeMs);
    draining = true;
    const inTime = (work: Promise<unknown>) => endsWithin(work, config.drainTimeoutMs, tasks);
    await inTime(acceptance.drain());
    acceptance.close();
    // A round may hang on a broker or a database. Whoever takes its lease does its work: what it writes late is fenced off.
    const workersEnded = await inTime(stopWorkers());
    if (!workersEnded) log.warn("workers did not end in time and are left");
    closePeople();
    await providers.close();
    // They would never end by themselves, and what they had to tell is told.
    app.endStreams();
    await Promise.all([listener?.stop(config.drainTimeoutMs), metrics?.stop(0)]);
    const closed = await inTime(store.close());
    log.info("stopped");
    // What was left keeps the process alive.
    if (!workersEnded || !closed) process.exit(0);
  };
  return { url, openDemoShop: () => openDemoShop(engine, config.shop), stopped: untilSignal(stop) };
}

/** Kept beside the packages, for all servers of this installation; where that cannot be written, with the data. */
function openWeb({ roles, dataDir }: Config, log: Log): BundledFiles | undefined {
  const keepIn = [join(root, "node_modules/.cache/doorbuster"), join(dataDir, "cache")];
  return roles.includes("api") ? new BundledFiles({ packageDir: root, keepIn, log }) : undefined;
}

const httpOptionsOf = (config: Config): HttpOptions => ({
  environment: config.env === "development" ? "development" : "production",
  version,
  commit: config.commit,
  corsOrigins: config.corsOrigins,
  shop: config.shop,
  trustedProxies: config.trustedProxies,
  streamsMax: config.streamsMax,
});

/** A worker answers nobody but its operators. */
async function openListeners({ roles, httpHost, httpPort, metricsHost, metricsPort }: Config, app: App) {
  const { listen } = process.versions["bun"] === undefined ? await import("./http/listen-node.ts") : await import("./http/listen-bun.ts");
  const answers = roles.includes("api");
  if (answers) app.describe();
  const metrics = metricsPort === undefined ? undefined : await listen({ fetch: app.adminFetch }, { host: metricsHost, port: metricsPort });
  try {
    const listener = answers ? await listen(app, { host: httpHost, port: httpPort }) : undefined;
    return { listener, metrics };
  } catch (error) {
    // One that is left open keeps a process alive that has given up.
    await metrics?.stop(0);
    throw error;
  }
}

/** The secret of its pseudonyms lives with the data: whoever has both could name people. */
function requestLogOf({ dataDir, logRequestsPerSecond: perSecondMax, logClient }: Config, entropy: SystemEntropy) {
  if (perSecondMax === 0) return undefined;
  const secret = secretFromFile(join(dataDir, "log.secret"), () => entropy.secret(32));
  return { perSecondMax, client: logClient === "plain" ? "plain" : "pseudonym", secret } as const;
}
/** What an operator should know of the other processes on the same store. */
function tellOfOthers({ store: { shared } }: Engine, log: Log): void {
  if (shared?.membership.secretsDiffer)
    log.error(
      "other processes on this store have other secrets: their tokens are not ours; set DOORBUSTER_TOKEN_SECRET and DOORBUSTER_ACCOUNT_SECRET alike in all",
    );
}

/** Resolves when the first SIGTERM or SIGINT has been dealt with; a second one ends the process at once. */
function untilSignal(stop: (signal: string) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const signals = ["SIGTERM", "SIGINT"] as const;
    const first = (signal: string) => {
      for (const name of signals) process.removeAllListeners(name).once(name, () => process.exit(1));
      stop(signal).then(resolve, reject);
    };
    for (const name of signals) process.once(name, first);
  });
}

async function withStore<Result>(config: Config, use: (engine: Engine) => Promise<Result>): Promise<Result> {
  const engine = await openEngine(config, openLogOf(config), version);
  try {
    return await use(engine);
  } finally {
    await engine.store.close();
  }
}

type Named = Readonly<Record<string, string | undefined>>;

/** Environment, flags on top, and the file; a file that was named and cannot be read is a problem. */
function configSources(flags: Named, commandDefaults?: Readonly<Record<string, string>>): { sources: ConfigSources; problems: string[] } {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const environment = { ...process.env, ...given };
  const readText = (path: string) => readFileSync(path, "utf8");
  const named = environment["DOORBUSTER_CONFIG"];
  const name = named ?? "doorbuster.yaml";
  try {
    return { sources: { environment, file: { name, text: readText(name) }, commandDefaults, readText }, problems: [] };
  } catch {
    const problems = named === undefined ? [] : [`DOORBUSTER_CONFIG: the file "${name}" cannot be read`];
    return { sources: { environment, commandDefaults, readText }, problems };
  }
}

function configOf(flags: Named, commandDefaults?: Readonly<Record<string, string>>): Config {
  const { sources, problems } = configSources(flags, commandDefaults);
  if (problems.length > 0) throw new ConfigWrong(problems);
  const loaded = loadConfig(sources);
  if (loaded.kind === "wrong") throw new ConfigWrong(loaded.problems);
  return loaded.config;
}

/** For doctor: whatever can be read, and all that is wrong. */
function brokenConfigOf(flags: Named): ReadConfig {
  const { sources, problems } = configSources(flags);
  const read = readConfig(sources);
  return { ...read, problems: [...problems.map((text) => ({ kind: "wrong" as const, text })), ...read.problems] };
}

/** What the operator can act on becomes one line; what is left is a bug and keeps its stack. */
async function told<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "code" in error && !(error instanceof CommandFailed)) throw new CommandFailed(error.message);
    throw error;
  }
}

/** A log that is read afterwards, and a reader that wants plain text, get whole lines. */
function mayRewriteLines({ isTTY }: { readonly isTTY?: boolean }, { CI, NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  return isTTY === true && !isSet(CI) && !isSet(NO_COLOR) && TERM !== "dumb";
}

/** As no-color.org has it: any text but the empty one. */
const isSet = (value: string | undefined) => value !== undefined && value !== "";

const rehearsalDeps = () => ({ clock: new SystemClock(), tasks: new SystemTasks() });
const rehearsalClient = () => ({ version, ...describeMachine() });

const rehearseHere: RehearseCommandDeps["rehearse"] = async (options, { keep, onProgress }) => {
  const host = new ChildHost({ entry: import.meta.filename, keep });
  const report = await rehearse({ host, ...rehearsalDeps(), onProgress, client: rehearsalClient() }, options);
  return { report, folder: host.folder };
};

/** Certificates that this process was told to trust, for a child that speaks to the same servers from another folder. */
function trusted(): Record<string, string> {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  return file === undefined ? {} : { NODE_EXTRA_CA_CERTS: resolve(file) };
}

/** The first signal closes the shadow sale and ends the run with what it has seen; a second one ends the process at once. */
const rehearseThere: RehearseCommandDeps["rehearseDeployment"] = async ({ store, ...options }, { keep, onProgress }) => {
  const site = new RemoteSite({ entry: import.meta.filename, url: options.url, store: store && { ...store, ...trusted() }, keep });
  const halt = new Halt();
  const signals = ["SIGTERM", "SIGINT"] as const;
  const first = (signal: string) => {
    for (const name of signals) process.removeListener(name, first).once(name, () => process.exit(1));
    halt.pull({ by: "operator", text: `the process got ${signal}` });
  };
  for (const name of signals) process.once(name, first);
  const runId = randomBytes(4).toString("hex");
  try {
    const report = await rehearseDeployment(
      { site, halt, ...rehearsalDeps(), onProgress },
      { ...options, runId, client: rehearsalClient() },
    );
    return { report, folder: site.folder };
  } finally {
    for (const name of signals) process.removeAllListeners(name);
  }
};

/** Waits until standard output has taken the text; whoever reads it may have left, like head. */
function writeOut(text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => (error.code === "EPIPE" ? resolve(false) : reject(error));
    process.stdout.once("error", fail);
    process.stdout.write(text, (error) => {
      if (error) return fail(error);
      process.stdout.off("error", fail);
      resolve(true);
    });
  });
}

async function askOperator(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

async function main(): Promise<number> {
  const cli: CliDeps = {
    console: {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      isTerminal: mayRewriteLines(process.stderr, process.env),
      columns: () => process.stderr.columns,
    },
    config: configOf,
    version,
  };
  const wantsColour = process.stdout.isTTY && !isSet(process.env["NO_COLOR"]);
  const program = newProgram(cli);
  registerServe(program, { ...cli, demoApiKey, serve: (config, showAdmin) => told(serve(config, showAdmin)) });
  registerStoreCommands(program, {
    ...cli,
    migrate: (config) => told(migrateStore(config)),
    seed: (config) => told(withStore(config, (engine) => openDemoShop(engine, config.shop))),
  });
  registerAdmin(program, {
    ...cli,
    resetPassword: (config, username) =>
      told(
        withStore(config, ({ store, clock, entropy }) => {
          const deps = { accounts: store.accounts, clock, passwords: inlinePasswords(), revocations: new RevocationBoard() };
          return resetPassword(deps, entropy, username);
        }),
      ),
    putTokenSecretAside: ({ dataDir }) => putAsideSecret(join(dataDir, "token.secret")),
  });
  registerVerify(program, {
    ...cli,
    openAuditSource,
    openQueueAudit,
    nowMs: () => Date.now(),
    reopenDelayMs: ({ mode }) => (mode === "sql" ? reopenDelayMs : 0),
    colour: wantsColour,
    providerJournal,
    sharedProviderLines,
  });
  registerExport(program, { ...cli, openExports, write: writeOut });
  registerDoctor(program, {
    ...cli,
    readConfig: brokenConfigOf,
    probes: {
      folderFacts,
      diskFacts,
      logObstacle,
      storeFacts,
      secretFileFacts,
      generatedSecrets,
      watchClock,
      processFacts,
      memoryFacts,
      portFacts,
      serverFacts,
      cacheFacts,
      brokerFacts,
    },
    secretsDigest: knownSecretsDigest,
    tasks: new SystemTasks(),
    bunPinned: manifest.dependencies.bun,
    colour: wantsColour,
  });
  registerRehearse(program, { ...cli, askOperator, rehearse: rehearseHere, rehearseDeployment: rehearseThere });
  registerCompletion(program, cli);
  return runProgram(program, cli, process.argv.slice(2));
}

process.exitCode = await main();
