/** The site on node:http, for Node 24 and later. */
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from "@hono/node-server";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  badHost,
  farewellMs,
  headersMax,
  idleTimeoutSeconds,
  pause,
  plainResponse,
  tooManyHeaders,
  unnamedHost,
  urlOf,
  withFarewell,
  type ListenAt,
  type Listener,
  type Site,
} from "./listener.ts";

const headersTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;
const headerBytesMax = 16 * 1024;
/** Beyond it Node refuses bare, as Bun does; between `headersMax` and this, in our words. */
const rawHeadersMax = 198;

export async function listen(site: Site, { host, port }: ListenAt): Promise<Listener> {
  let leaving = false;
  // The adapter knows servers of all kinds; the one made here is node:http's.
  const server = createAdaptorServer({
    async fetch(request: Request, { incoming }: HttpBindings | Http2Bindings) {
      const { socket, rawHeaders } = incoming;
      if (rawHeaders.length > 2 * headersMax) return plainResponse(tooManyHeaders());
      if (hostsIn(rawHeaders) > 1) return plainResponse(badHost());
      const stream = { holdOpen: () => {}, cutOff: () => socket.destroy() };
      const response = await site.fetch(request, { address: socket.remoteAddress ?? "", stream });
      return leaving ? withFarewell(response) : response;
    },
    hostname: unnamedHost,
    // Its own Response keeps the headers it was given instead of copying them, and ours are reused.
    overrideGlobalObjects: false,
    createServer,
    serverOptions: {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutSeconds * 1000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: headerBytesMax,
    },
  }) as Server;
  server.maxHeadersCount = rawHeadersMax;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  // A server that listens on a port has an address with a port.
  const bound = (server.address() as AddressInfo).port;
  return {
    url: urlOf(host, bound),
    port: bound,
    async stop(drainMs) {
      leaving = true;
      await pause(farewellMs(drainMs));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.race([closed, pause(drainMs - farewellMs(drainMs))]);
      server.closeAllConnections();
    },
  };
}

/** Names and values take turns. Node itself keeps the first Host and says nothing of the others. */
const hostsIn = (rawHeaders: readonly string[]): number =>
  rawHeaders.reduce((count, text, i) => count + Number(i % 2 === 0 && text.length === 4 && text.toLowerCase() === "host"), 0);
