/** What both listeners are: a site put behind a socket, with limits that hold before any of our code runs. */
import type { Fetch } from "./app.ts";
import { failure, type Reply } from "./envelope.ts";
import { safeHeaders } from "./responses.ts";
import type { PurchaseHandler } from "./routes/purchase.ts";

export type Site = {
  readonly fetch: Fetch;
  /** A site that has it gets the purchase route in front of all others. */
  readonly purchase?: PurchaseHandler | undefined;
};
export type ListenAt = { readonly host: string; readonly port: number };

export type Listener = {
  /** With the port that was got, when 0 was asked for. */
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new connections, lets answers in flight out, and resolves when the last one is, or after `drainMs` at the
   * latest. Until then each answer asks its client to go elsewhere, so that no request meets a closing socket.
   */
  readonly stop: (drainMs: number) => Promise<void>;
};

/** A connection on which nothing comes or goes for this long is closed: slow senders of headers and bodies, too. */
export const idleTimeoutSeconds = 10;
/** A live stream may be quiet for longer: this many heartbeats may fail to get through. */
export const streamIdleSeconds = 40;
/** Headers of one request. */
export const headersMax = 64;
export const tooManyHeaders = (): Reply => failure("too_many_headers", { limit: headersMax });
/** Two Hosts are two readers' different servers; one that is no host name is nobody's. */
export const badHost = (): Reply => failure("malformed", { field: "Host", problem: "must be one host name, with or without a port" });
/** Bodies are refused by our own limits, in our own words; this one only bounds what the runtime takes in. */
export const socketBodyBytesMax = 1024 * 1024;
/** Stands in for the Host that HTTP/1.0 may leave out, as balancers' probes do. It is nobody's, so it earns no trust. */
export const unnamedHost = "unnamed.invalid";
/** How long clients with open connections are told to leave before the socket closes, at most. */
export const farewellMsMax = 250;

export const farewellMs = (drainMs: number): number => Math.min(farewellMsMax, drainMs / 4);

/** Says that this connection closes after this answer. */
export function withFarewell(response: Response): Response {
  response.headers.set("connection", "close");
  return response;
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Does not by itself keep the process alive. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());

/** An answer of the listener's own, from before any route. */
export const plainResponse = ({ status, body }: Reply): Response =>
  new Response(body, { status, headers: { "content-type": "application/json", ...safeHeaders } });
