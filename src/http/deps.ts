/** What the REST API is given. main.ts wires it; tests give it the memory store. */
import type { OrderPayments } from "./payments.ts";
import type { SaleBoard } from "../engine/sale-board.ts";
import type { Acceptance } from "../ports/acceptance.ts";
import type { Catalogue } from "../ports/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entropy } from "../ports/entropy.ts";
import type { Ids } from "../ports/ids.ts";
import type { Records } from "../ports/records.ts";
import type { ServerKeys } from "../ports/server-keys.ts";
import type { Tokens } from "../ports/tokens.ts";

export type HttpOptions = {
  readonly environment: "development" | "production";
  readonly version: string;
  /** Exact origins whose pages may call the API. */
  readonly corsOrigins: readonly string[];
  /** Metrics and system statistics have a listener of their own, so the public one asks for a server key. */
  readonly metricsElsewhere: boolean;
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
  readonly clock: Clock;
  readonly ids: Ids;
  readonly entropy: Entropy;
  readonly records: Records;
  readonly catalogue: Catalogue;
  readonly tokens: Tokens;
  readonly serverKeys: ServerKeys;
  readonly payments: OrderPayments;
  /** Whether the process has begun to stop. */
  readonly isDraining: () => boolean;
  /** A failure that an operator should see; the answer says only that there was one. */
  readonly logFailure: (fields: Readonly<Record<string, unknown>>, message: string) => void;
};

/** The socket's other end, as the listener saw it. */
export type Peer = { readonly address: string };
