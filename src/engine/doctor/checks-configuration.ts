/** What the operator set: mistakes, secrets, and combinations that work and are a bad idea. */
import type { LogFacts, SecretFileFacts } from "../../ports/machine-facts.ts";
import { ok, problem, warning, type Check, type Judgement } from "./finding.ts";

/** The configuration as it bears on safety, without its secrets. */
export type ConfigurationFacts = {
  readonly problems: readonly { readonly kind: "wrong" | "unknown" | "unsafe"; readonly text: string }[];
  readonly isProduction: boolean;
  /** Undefined: this process answers no requests. */
  readonly httpHost: string | undefined;
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly trustedProxies: readonly string[];
  readonly hasServerKey: boolean;
  readonly paymentProvider: string;
};

const newSecret = "openssl rand -hex 32";

export const configurationChecks: readonly Check<ConfigurationFacts>[] = [
  {
    id: "configuration",
    why: "A server with a wrong option does not start",
    judge({ problems }) {
      const wrong = problems.filter(({ kind }) => kind === "wrong");
      if (wrong.length === 0) return ok("every option has a value that fits");
      return wrong.map(({ text }) => problem(text, "Correct it; docs/configuration.md has every option with its bounds"));
    },
  },
  {
    id: "unknown-option",
    why: "A misspelt name sets nothing, and its author believes it did",
    judge({ problems }) {
      const unknown = problems.filter(({ kind }) => kind === "unknown");
      if (unknown.length === 0) return ok("every name that is set is an option");
      return unknown.map(({ text }) => problem(text, "Correct or remove it; .env.example has every name"));
    },
  },
  {
    id: "weak-secret",
    why: "Who knows the key is the shop, who knows the token secret is any buyer",
    judge({ problems }) {
      const unsafe = problems.filter(({ kind }) => kind === "unsafe");
      if (unsafe.length === 0) return ok("no secret is known or easily guessed");
      return unsafe.map(({ text }) => problem(text, `Make one: ${newSecret}`));
    },
  },
  {
    id: "server-key",
    why: "Products and sales are made with a key of the shop",
    judge({ hasServerKey, isProduction }) {
      if (hasServerKey) return ok("a first server key is set");
      if (!isProduction) return ok('none is set; "start" brings the demo key');
      return warning(
        "none is set, so only keys made earlier can manage the shop",
        `${newSecret} > api-key && chmod 600 api-key, then DOORBUSTER_API_KEY_FILE=api-key`,
      );
    },
  },
  {
    id: "payment-provider",
    why: "The simulated provider takes no real money",
    judge({ isProduction, paymentProvider }) {
      if (isProduction && paymentProvider === "simulated")
        return warning("production with simulated payments: orders count as paid without money", "Unset DOORBUSTER_PAYMENT_PROVIDER");
      return ok(paymentProvider);
    },
  },
  {
    id: "exposure",
    why: "Passwords, keys and tokens travel in requests; TLS is a proxy's work, and the proxy must be known for limits by address to work",
    judge: exposureOf,
  },
  {
    id: "metrics-exposure",
    why: "That listener asks for no key",
    judge({ metrics }) {
      if (metrics === undefined) return undefined;
      if (isLoopback(metrics.host)) return ok(`metrics on ${metrics.host} port ${metrics.port}, for this machine only`);
      return warning(
        `metrics on ${metrics.host} port ${metrics.port}, for whoever reaches it`,
        "DOORBUSTER_METRICS_HOST=127.0.0.1, or a firewall in front",
      );
    },
  },
];

function exposureOf({ isProduction, httpHost, trustedProxies }: ConfigurationFacts): Judgement | undefined {
  if (httpHost === undefined) return undefined;
  const at = `listens on ${httpHost}`;
  if (!isProduction) {
    if (isLoopback(httpHost)) return ok(`${at}, for this machine`);
    return warning(
      `${at} with development rules, which other machines must not reach`,
      "DOORBUSTER_HTTP_HOST=127.0.0.1, or DOORBUSTER_ENV=production",
    );
  }
  // On a loopback address, too: a proxy on this machine is then everybody's address.
  if (trustedProxies.length === 0)
    return warning(
      `${at}, and no proxy is trusted: behind one all buyers have its address, and share the limits of one`,
      `Name the proxy that ends TLS: DOORBUSTER_TRUSTED_PROXIES=${isLoopback(httpHost) ? "127.0.0.1" : "its address"}`,
    );
  return ok(`${at}, behind ${trustedProxies.join(", ")}`);
}

const isLoopback = (host: string) => host === "localhost" || host === "::1" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);

/** A file that holds a secret, or may. */
export type SecretsAt = {
  readonly files: readonly SecretFileFacts[];
  readonly isProduction: boolean;
  /** Whether the operator set the secret that signs tokens. */
  readonly tokenSecretSet: boolean;
};

export const generatedSecretLengthMin = 32;
const groupBits = 0o070;
const worldBits = 0o007;

export const secretFileChecks: readonly Check<SecretsAt>[] = [
  {
    id: "token-secret",
    why: "It signs the buyers' tokens; all of them end when it is lost",
    judge({ files, tokenSecretSet }) {
      if (tokenSecretSet) return ok("set in the configuration");
      const kept = files.find(({ path, source, state }) => source === "data folder" && path.endsWith("token.secret") && state !== "absent");
      return ok(kept === undefined ? "none yet; the first start makes one in the data folder" : `kept in "${kept.path}"`);
    },
  },
  {
    id: "secret-file",
    why: "Whoever reads the file can act for the shop or for any buyer",
    judge: ({ files, isProduction }) => files.flatMap((file) => secretFileJudgement(file, isProduction)),
  },
];

function secretFileJudgement({ path, source, state, mode, length }: SecretFileFacts, isProduction: boolean): Judgement[] {
  const name = `"${path}" (${source})`;
  // The configuration has said that a named file is missing; one that the server makes may be.
  if (state === "absent") return [];
  if (state === "unreadable") return [problem(`${name} cannot be read`, `chown "$(id -un)" "${path}" && chmod 600 "${path}"`)];
  if (length !== undefined && length < generatedSecretLengthMin && source === "data folder")
    return [
      problem(
        `${name} holds ${length} characters, at least ${generatedSecretLengthMin} are needed`,
        `rm "${path}"; the next start makes a new one, and tokens signed so far end`,
      ),
    ];
  if (mode === undefined) return [];
  const bits = mode.toString(8).padStart(3, "0");
  const fix = `chmod 600 "${path}"`;
  if ((mode & worldBits) !== 0) {
    const found = `every user of this machine may read ${name}: ${bits}`;
    return [isProduction ? problem(found, fix) : warning(found, fix)];
  }
  if ((mode & groupBits) !== 0) return [warning(`its group may read ${name}: ${bits}`, fix)];
  return [ok(`only its owner may read ${name}: ${bits}`)];
}

export const logChecks: readonly Check<LogFacts>[] = [
  {
    id: "log-target",
    why: "What went wrong in a sale is found in its log afterwards",
    judge({ file, obstacle }) {
      if (file === undefined) return ok("the standard streams; whoever starts the server keeps them");
      if (obstacle === undefined) return ok(`"${file}"`);
      const { at, path, problem: what } = obstacle;
      const found = `"${file}" cannot be written to: "${path}" (${what})`;
      const fixes = {
        "no-file": "Name a file in DOORBUSTER_LOG_FILE",
        file: `sudo chown "$(id -un)" "${path}"`,
        folder: `sudo install -d -m 750 -o "$(id -un)" "${path}"`,
      };
      return problem(found, fixes[at]);
    },
  },
];
