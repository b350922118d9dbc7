/**
 * The one table of options. Everything the operator can set is here, with its type, default, bounds and a line that says
 * what it does; the loader, `.env.example` and the documentation are made from it.
 *
 * Order of precedence: environment, then `<NAME>_FILE` for secrets, then the YAML file, then the default.
 */
import { isPartialRange, parseIpRange } from "../lib/ip-address.ts";

export type OptionType =
  | { readonly kind: "text"; readonly pattern?: RegExp | undefined; readonly hint?: string | undefined }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "choice"; readonly of: readonly string[] }
  | { readonly kind: "list"; readonly each?: ((text: string) => boolean) | undefined; readonly hint?: string | undefined }
  | {
      readonly kind: "secret";
      readonly lengthMin: number;
      readonly pattern?: RegExp | undefined;
      /** What a pattern cannot say. */
      readonly fits?: ((text: string) => boolean) | undefined;
      readonly hint?: string | undefined;
    };

export type Option = {
  /** Path in the YAML file; the environment name is DOORBUSTER_ and this in capitals with underscores. */
  readonly path: string;
  readonly type: OptionType;
  /** Undefined: not set unless the operator sets it. */
  readonly default: string | number | undefined;
  readonly about: string;
};

function isProxyRange(text: string): boolean {
  const range = parseIpRange(text);
  return range !== undefined && isPartialRange(range);
}

/** Drivers decode its parts, and fail on a % that stands for itself. */
function isReadableUrl(text: string): boolean {
  try {
    const { username, password, hostname, pathname } = new URL(text);
    for (const part of [username, password, hostname, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

const port = { kind: "integer", min: 0, max: 65_535 } as const;

export const options = {
  env: {
    path: "env",
    type: { kind: "choice", of: ["development", "production"] },
    default: "production",
    about: "What rules apply: development trusts loopback callers on the seeds' paths and shows its metrics to anybody",
  },
  mode: {
    path: "mode",
    type: { kind: "choice", of: ["embedded", "sql", "queued"] },
    default: "embedded",
    about:
      "Who decides and keeps: embedded needs no services, sql shares a MariaDB, MySQL or PostgreSQL with other processes, queued lets Redis decide and RabbitMQ carry before it",
  },
  roles: {
    path: "roles",
    type: { kind: "list", each: (text) => text === "api" || text === "worker", hint: "api, worker, or both" },
    default: "api,worker",
    about:
      "What this process does, comma-separated: api answers requests, worker expires, settles and refunds; embedded is one process with both",
  },
  databaseUrl: {
    path: "database.url",
    type: {
      kind: "secret",
      lengthMin: 12,
      pattern: /^(?:mysql|mariadb|postgres|postgresql):\/\/[^\s/]+\/[^\s/?]+(?:\?\S*)?$/,
      fits: isReadableUrl,
      hint: "mysql://user:password@host:port/database or postgres://…, with %25 for % and %40 for @ in a password",
    },
    default: undefined,
    about: "The database that sql and queued mode share; TLS by ?ssl-mode=VERIFY_IDENTITY (MySQL) or ?sslmode=verify-full (PostgreSQL)",
  },
  databaseConnections: {
    path: "database.connections",
    type: { kind: "integer", min: 2, max: 200 },
    default: 10,
    about:
      "Most connections of this process to the database; two of five read, the others write. A worker of queued mode has up to three more while it loads the cache",
  },
  redisUrl: {
    path: "redis.url",
    type: {
      kind: "secret",
      lengthMin: 9,
      pattern: /^rediss?:\/\/[^\s/]+(?:\/\d{0,3})?$/,
      fits: isReadableUrl,
      hint: "redis://user:password@host:port or rediss://… for TLS",
    },
    default: undefined,
    about: "The Redis that decides in queued mode; it must keep an append-only file and evict nothing",
  },
  brokerUrl: {
    path: "broker.url",
    type: {
      kind: "secret",
      lengthMin: 8,
      pattern: /^amqps?:\/\/[^\s/]+(?:\/[^\s?]*)?(?:\?\S*)?$/,
      fits: isReadableUrl,
      hint: "amqp://user:password@host:port/vhost or amqps://… for TLS",
    },
    default: undefined,
    about: "The RabbitMQ that carries accepted purchases to the database in queued mode",
  },
  brokerPartitions: {
    path: "broker.partitions",
    type: { kind: "integer", min: 1, max: 256 },
    default: 4,
    about: "Queues that sales are spread over; the same in all processes. Each settles by itself, a sale in one",
  },
  outboxMax: {
    path: "outbox.max",
    type: { kind: "integer", min: 1, max: 1_000_000 },
    default: 2_000,
    about: "Most messages that wait for the broker's confirm; beyond it the answer is 503 busy",
  },
  httpHost: { path: "http.host", type: { kind: "text" }, default: "127.0.0.1", about: "Address to listen on" },
  httpPort: { path: "http.port", type: port, default: 8083, about: "Port to listen on; 0 takes a free one" },
  metricsHost: {
    path: "metrics.host",
    type: { kind: "text" },
    default: "127.0.0.1",
    about: "Address of the separate listener for /metrics and /api/v1/system/stats",
  },
  metricsPort: {
    path: "metrics.port",
    type: port,
    default: undefined,
    about: "Port of that listener, which asks for no key; without it they need a server key in production",
  },
  corsOrigins: {
    path: "cors.origins",
    type: { kind: "list" },
    default: "",
    about: "Exact origins whose pages may call the API, comma-separated",
  },
  trustedProxies: {
    path: "trusted.proxies",
    type: { kind: "list", each: isProxyRange, hint: "addresses or ranges like 10.0.0.0/8 that do not hold everybody" },
    default: "",
    about: "Proxies whose X-Forwarded-For or Forwarded header says who the client is, comma-separated; all others are clients themselves",
  },
  streamsMax: {
    path: "streams.max",
    type: { kind: "integer", min: 0, max: 1_000_000 },
    default: 10_000,
    about: "Most live streams (SSE) open at once; beyond it the answer is 429",
  },
  dataDir: {
    path: "data.dir",
    type: { kind: "text" },
    default: "./var",
    about: "Folder of the database and generated secrets; one server at a time",
  },
  apiKey: {
    path: "api.key",
    type: { kind: "secret", lengthMin: 16, pattern: /^[!-~]{1,256}$/, hint: "at most 256 printable characters without spaces" },
    default: undefined,
    about: "A server key to begin with; it may do everything; in production at least 32 characters",
  },
  commit: {
    path: "commit",
    type: { kind: "text", pattern: /^[0-9A-Za-z._-]{1,64}$/, hint: "at most 64 letters, digits, dots, dashes and underscores" },
    default: undefined,
    about: "What this program was built from, shown by /healthz; reports of rehearsals quote it",
  },
  shop: {
    path: "shop",
    // "local" is the issuer of accounts.
    type: {
      kind: "text",
      pattern: /^(?!local$)[a-z0-9][a-z0-9._-]{0,63}$/,
      hint: 'lower-case letters, digits, dot, dash or underscore, and not "local"',
    },
    default: "shop",
    about: "The shop to begin with, and so the issuer of the buyer ids that its server key names",
  },
  tokenSecret: {
    path: "token.secret",
    type: { kind: "secret", lengthMin: 32 },
    default: undefined,
    about: "Signs our access tokens; without it one is made and kept in the data folder",
  },
  tokenSecretPrevious: {
    path: "token.secret_previous",
    type: { kind: "secret", lengthMin: 32 },
    default: undefined,
    about: "The secret before that one, for an hour after a change: its tokens still count",
  },
  accountSecret: {
    path: "account.secret",
    type: { kind: "secret", lengthMin: 32 },
    default: undefined,
    about: "Seals second factors and makes refresh tokens; without it one is made and kept in the data folder. A change logs everybody out",
  },
  adminUsername: {
    path: "admin.username",
    type: { kind: "text", pattern: /^\S{3,64}$/, hint: "3 to 64 characters without spaces" },
    default: undefined,
    about: "Username of the first admin, which an installation without one gets at its start; admin unless set",
  },
  adminPassword: {
    path: "admin.password",
    type: { kind: "secret", lengthMin: 12 },
    default: undefined,
    about: "Password of the first admin; without it one is made and shown once",
  },
  signInPerAccount: {
    path: "sign_in.per_account",
    type: { kind: "integer", min: 1, max: 1_000 },
    default: 5,
    about: "Most tries a minute to sign in with one name",
  },
  signInPerAddress: {
    path: "sign_in.per_address",
    type: { kind: "integer", min: 1, max: 1_000_000 },
    default: 20,
    about: "Most tries a minute to sign in or up from one client address",
  },
  jwksUrl: {
    path: "jwks.url",
    type: {
      kind: "text",
      pattern: /^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])\S+$/,
      hint: "an https address, or http on this machine",
    },
    default: undefined,
    about: "Where the shop's own sign-in publishes its keys (JWKS), so that its tokens are exchanged for ours",
  },
  jwksIssuer: {
    path: "jwks.issuer",
    type: { kind: "text" },
    default: undefined,
    about: "The iss of those tokens, exactly",
  },
  jwksAudience: {
    path: "jwks.audience",
    type: { kind: "text" },
    default: undefined,
    about: "The aud that those tokens must have for us",
  },
  paymentProvider: {
    path: "payment.provider",
    type: { kind: "choice", of: ["external", "simulated"] },
    default: undefined,
    about:
      "Who takes the money: external (the shop itself, the default in production) or simulated (no real money, the default in development)",
  },
  callbackSecret: {
    path: "callback.secret",
    type: { kind: "secret", lengthMin: 38, pattern: /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, hint: "whsec_ and 24 to 64 bytes in base64" },
    default: undefined,
    about: "Signs the payment provider's callbacks (Standard Webhooks); without it one is made and kept in the data folder",
  },
  logLevel: {
    path: "log.level",
    type: { kind: "choice", of: ["debug", "info", "warn", "error", "silent"] },
    default: "info",
    about: "Least important line that is logged",
  },
  logFormat: {
    path: "log.format",
    type: { kind: "choice", of: ["json", "plain"] },
    default: "json",
    about: "Lines for machines or for people",
  },
  logFile: {
    path: "log.file",
    type: { kind: "text" },
    default: undefined,
    about: "File that lines are appended to; without it they go to standard error. SIGHUP opens it anew",
  },
  logRotateBytes: {
    path: "log.rotate_bytes",
    type: { kind: "integer", min: 0, max: 10_000_000_000 },
    default: 100_000_000,
    about: "Size at which the log file is rolled over; 0 leaves that to others",
  },
  logRotateKeep: {
    path: "log.rotate_keep",
    type: { kind: "integer", min: 0, max: 100 },
    default: 5,
    about: "How many older log files are kept, as <file>.1, <file>.2 and so on",
  },
  logRequestsPerSecond: {
    path: "log.requests_per_second",
    type: { kind: "integer", min: 0, max: 10_000 },
    default: 50,
    about: "Most requests logged per second, failures (5xx) counted apart; what is left out is counted; 0 logs none",
  },
  logClient: {
    path: "log.client",
    type: { kind: "choice", of: ["pseudonym", "plain"] },
    default: "pseudonym",
    about: "How callers' addresses are logged",
  },
  batchMax: { path: "batch.max", type: { kind: "integer", min: 1, max: 5_000 }, default: 1_000, about: "Most movements in one commit" },
  queueMax: {
    path: "queue.max",
    type: { kind: "integer", min: 1, max: 1_000_000 },
    default: 10_000,
    about: "Most movements waiting for a commit; beyond it the answer is 503 busy",
  },
  answerTimeoutMs: {
    path: "answer.timeout_ms",
    // Longer, and the socket would be closed as idle before the answer came.
    type: { kind: "integer", min: 100, max: 7_000 },
    default: 5_000,
    about: "After this long without a commit the answer is 504 outcome_unknown",
  },
  drainNoticeMs: {
    path: "drain.notice_ms",
    type: { kind: "integer", min: 0, max: 60_000 },
    default: 0,
    about: "How long /readyz says 503 before anything is refused, so that balancers turn away first",
  },
  drainTimeoutMs: {
    path: "drain.timeout_ms",
    type: { kind: "integer", min: 0, max: 600_000 },
    default: 10_000,
    about: "How long stopping waits for what is in flight",
  },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;

type ValueOf<O extends Option> = O["type"]["kind"] extends "integer"
  ? number
  : O["type"]["kind"] extends "list"
    ? readonly string[]
    : string;
export type Config = {
  readonly [Name in OptionName]:
    | ValueOf<(typeof options)[Name]>
    | ((typeof options)[Name]["default"] extends undefined ? undefined : never);
};

export function environmentName(option: Pick<Option, "path">): string {
  return `DOORBUSTER_${option.path.replaceAll(".", "_").toUpperCase()}`;
}
