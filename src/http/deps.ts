/** What the REST API is given. main.ts wires it; tests give it the memory store. */
import type { AccountDeps } from "../engine/accounts/deps.ts";
import type { ForeignShop } from "../engine/accounts/exchange-token.ts";
import type { KeyDeps } from "../engine/accounts/shop-keys.ts";
import type { ProductCache } from "../engine/product-cache.ts";
import type { DeadLetters } from "../engine/queue/dead-letters.ts";
import type { QueueStats } from "../engine/queue/queued-parts.ts";
import type { SaleBoard } from "../engine/sale-board.ts";
import type { Acceptance } from "../ports/acceptance.ts";
import type { CallbackVerifier } from "../ports/callback-verifier.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Changes } from "../ports/changes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Exports } from "../ports/exports.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log, LogCounts } from "../ports/log.ts";
import type { PaymentProvider } from "../ports/payment-provider.ts";
import type { Records } from "../ports/records.ts";
import type { Revocations } from "../ports/revocations.ts";
import type { ServerKeys } from "../ports/server-keys.ts";
import type { Tasks } from "../ports/tasks.ts";
import type { Tokens } from "../ports/tokens.ts";
import type { WebFiles } from "../ports/web-files.ts";
import type { StreamSocket } from "./sse/event-stream.ts";

export type HttpOptions = {
  readonly environment: "development" | "production";
  /** What the program was built from, if the operator says so. */
  readonly commit?: string | undefined;
  readonly version: string;
  /** Exact origins whose pages may call the API. */
  readonly corsOrigins: readonly string[];
  /** The shop whose buyers a loopback caller may name on the seeds' paths in development. */
  readonly shop: string;
  /** Proxies that say who their client is; see client-address.ts. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Live streams open at once. */
  readonly streamsMax?: number | undefined;
};

/** What accounts, shops and keys need beside the rest. */
export type People = Pick<AccountDeps, "accounts" | "passwords" | "secrets" | "codes" | "limits" | "revocations"> &
  Pick<KeyDeps, "keyRing"> & {
    /** The shop whose own tokens are exchanged for ours, if the configuration names its keys. */
    readonly foreignShop?: ForeignShop | undefined;
  };

/** What the acceptance tells of itself; plain numbers, read at each scrape. */
export type AcceptanceGauges = {
  readonly waiting: number;
  readonly counts: { readonly commits: number; readonly lines: number; readonly retries: number; readonly shed: number };
};

export type HttpDeps = {
  readonly options: HttpOptions;
  readonly board: SaleBoard;
  readonly acceptance: Acceptance & AcceptanceGauges;
  /** Where a cache decides: from whose copies takes are refused, and what could not be settled. */
  readonly marks?: SaleBoard | undefined;
  readonly deadLetters?: DeadLetters | undefined;
  readonly queueStats?: (() => QueueStats) | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly entropy: Entropy;
  /** Commits as they happen, for live push. */
  readonly changes: Changes;
  readonly tasks: Tasks;
  readonly records: Records;
  readonly exports: Exports;
  readonly products: ProductCache;
  readonly catalogue: Catalogue;
  readonly tokens: Tokens;
  /** Tokens of another kind, that open a buyer's stream and nothing else. */
  readonly eventTickets: Tokens;
  readonly serverKeys: ServerKeys;
  readonly revocations: Revocations;
  readonly people: People;
  /** Takes the money of orders paid through us. */
  readonly provider: PaymentProvider;
  /** Who checks callbacks, by the provider's name in the path. */
  readonly callbackVerifiers: ReadonlyMap<string, CallbackVerifier>;
  /** Whether the process has begun to stop, so that balancers shall send nothing more. */
  readonly isLeaving: () => boolean;
  /** Whether new work is refused: from then on, or when balancers have had their notice. */
  readonly isDraining: () => boolean;
  /** Failures that an operator should see; the answer says only that there was one. */
  readonly log: Log;
  /** What became of lines that nobody will read. */
  readonly logCounts?: LogCounts | undefined;
  /** Without it there are no pages. */
  readonly web?: WebFiles | undefined;
  /** Without it, answers are not logged. */
  readonly requestLog?: RequestLogOptions | undefined;
};

export type RequestLogOptions = {
  /** Lines per second, failures counted apart. */
  readonly perSecondMax: number;
  /** How callers' addresses are shown. */
  readonly client: "pseudonym" | "plain";
  /** Makes pseudonyms; whoever has it can tell whose they are. */
  readonly secret: string;
};

/** The socket's other end, as the listener saw it. */
export type Peer = { readonly address: string; readonly stream?: StreamSocket | undefined };
/** Where the address can be had by whoever wants it: asking the socket costs, and hardly any request needs it. */
export type PeerSource = { readonly addressOf: (request: Request) => string };
