/**
 * Who may act for any buyer without a credential: in development, a caller on this very machine. What looks as if it had
 * come from elsewhere does not count: through a proxy, by another host name (a page that rebinds its name to 127.0.0.1),
 * or from a page of another origin.
 *
 * Invariant: never in production, and never beside a credential, which says who asks.
 */
const forwardingHeaders: ReadonlySet<string> = new Set(["forwarded", "via", "x-real-ip"]);
const forwardingPrefix = "x-forwarded-";

export function isLoopbackCaller(request: Request, peerAddress: string): boolean {
  const { headers } = request;
  const url = new URL(request.url);
  if (!isLoopbackAddress(peerAddress) || !isLoopbackHost(url.hostname)) return false;
  const host = headers.get("host");
  if (host !== null && !isLoopbackHost(hostnameOf(host))) return false;
  if (wasForwarded(headers)) return false;
  const origin = headers.get("origin");
  if (origin !== null && origin !== url.origin) return false;
  const site = headers.get("sec-fetch-site");
  return site === null || site === "same-origin" || site === "none";
}

function wasForwarded(headers: Headers): boolean {
  for (const name of headers.keys()) if (forwardingHeaders.has(name) || name.startsWith(forwardingPrefix)) return true;
  return false;
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return plain === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** Of a Host header, without its port. */
function hostnameOf(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, "");
}
