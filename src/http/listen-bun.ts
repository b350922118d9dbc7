/**
 * The site on Bun.serve. The purchase route stands in Bun's own route table, which finds it in native code; it is the
 * same handler that app.fetch uses. Bun has one idle time-out, which cuts trickling headers and bodies too.
 */
import type { PeerSource } from "./deps.ts";
import { failure } from "./envelope.ts";
import {
  badHost,
  farewellMs,
  headersMax,
  idleTimeoutSeconds,
  pause,
  plainResponse,
  socketBodyBytesMax,
  streamIdleSeconds,
  tooManyHeaders,
  unnamedHost,
  urlOf,
  withFarewell,
  type ListenAt,
  type Listener,
  type Site,
} from "./listener.ts";
import type { StreamSocket } from "./sse/event-stream.ts";
import { purchasePath } from "./routes/purchase.ts";

export async function listen(site: Site, { host, port }: ListenAt): Promise<Listener> {
  const { purchase } = site;
  let leaving = false;
  const answer = async (request: Request, at: Bun.Server<undefined>) => {
    if (request.headers.count > headersMax) return plainResponse(tooManyHeaders());
    const readable = withReadableUrl(request);
    if (readable === undefined) return plainResponse(badHost());
    const stream: StreamSocket = {
      holdOpen: () => at.timeout(request, streamIdleSeconds),
      // It has no other way to close one connection, and looks at its clock every four seconds.
      cutOff: () => at.timeout(request, 1),
    };
    return site.fetch(readable, { address: at.requestIP(request)?.address ?? "", stream });
  };
  // One for all requests: the hot route is not asked for addresses it does not need.
  const peers: PeerSource = { addressOf: (request) => server.requestIP(request)?.address ?? "" };
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: host,
    port,
    idleTimeout: idleTimeoutSeconds,
    maxRequestBodySize: socketBodyBytesMax,
    development: false,
    // Without development rules Bun would share the port with whoever serves on it already.
    reusePort: false,
    routes: {
      [purchasePath]: {
        POST(request: Bun.BunRequest<typeof purchasePath>, at) {
          if (request.headers.count > headersMax) return plainResponse(tooManyHeaders());
          const response = purchase === undefined ? answer(request, at) : purchase(request, request.params.sale_id, peers);
          return leaving ? response.then(withFarewell) : response;
        },
      },
    },
    async fetch(request, at) {
      const response = await answer(request, at);
      return leaving ? withFarewell(response) : response;
    },
    error: () => plainResponse(failure("internal")),
  });
  const bound = server.port ?? port;
  return {
    url: urlOf(host, bound),
    port: bound,
    async stop(drainMs) {
      leaving = true;
      await pause(farewellMs(drainMs));
      await Promise.race([server.stop(false), pause(drainMs - farewellMs(drainMs))]);
      await server.stop(true);
    },
  };
}

/** Bun puts whatever Host says into the URL, the first of several, and leaves a bare path where it says nothing. */
function withReadableUrl(request: Request): Request | undefined {
  if (request.headers.get("host")?.includes(",")) return undefined;
  if (URL.canParse(request.url)) return request;
  return request.headers.get("host") ? undefined : new Request(`http://${unnamedHost}${request.url}`, request);
}
