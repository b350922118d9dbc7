/**
 * Whose request it is, as far as limits go: one name for one client, whatever it writes into its headers.
 *
 *   socket peer ─► not a trusted proxy: the peer itself
 *               └► trusted: from the right of the forwarding header, the first hop that is no trusted proxy
 *
 * Must stay true: nobody can choose the name under which it is counted. A header counts only as far as trusted proxies
 * wrote it, and what cannot be read, or is told in two ways, counts as the proxy's own.
 */
import { isInRange, networkOf, parseIp, parseIpRange, type IpAddress } from "../lib/ip-address.ts";

/** An IPv4 address or the /64 network of an IPv6 address. */
export type ClientOf = (headers: Headers, peerAddress: string) => string;

/** Proxies behind one another; a longer list says nothing. */
export const hopsMax = 16;

export function createClientOf(trustedProxies: readonly string[]): ClientOf {
  const ranges = trustedProxies.flatMap((text) => parseIpRange(text) ?? []);
  const isTrusted = (address: IpAddress) => ranges.some((range) => isInRange(address, range));
  return (headers, peerAddress) => {
    const peer = parseIp(peerAddress);
    if (peer === undefined) return peerAddress;
    const client = ranges.length > 0 && isTrusted(peer) ? forwardedFor(headers, isTrusted) : undefined;
    return networkOf(client ?? peer);
  };
}

function forwardedFor(headers: Headers, isTrusted: (address: IpAddress) => boolean): IpAddress | undefined {
  const plain = headers.get("x-forwarded-for");
  const standard = headers.get("forwarded");
  const byPlain = plain === null ? undefined : clientIn(plain, hopOfPlain, isTrusted);
  if (standard === null) return byPlain;
  const byStandard = clientIn(standard, hopOfStandard, isTrusted);
  if (plain === null) return byStandard;
  // A proxy writes one of them and passes the other on as it came, from whomever.
  return byPlain !== undefined && byStandard !== undefined && networkOf(byPlain) === networkOf(byStandard) ? byPlain : undefined;
}

/** Read from the right, where our own proxies write. Undefined when a hop that has to be read cannot be. */
function clientIn(header: string, hopOf: (text: string) => string, isTrusted: (address: IpAddress) => boolean): IpAddress | undefined {
  let end = header.length;
  for (let hops = 0; hops < hopsMax; hops++) {
    const comma = header.lastIndexOf(",", end - 1);
    const address = parseIp(withoutPort(hopOf(header.slice(comma + 1, end).trim())));
    if (address === undefined) return undefined;
    // Where all are trusted, the first of them is the client.
    if (!isTrusted(address) || comma < 0) return address;
    if (comma === 0) return undefined;
    end = comma;
  }
  return undefined;
}

const hopOfPlain = (text: string): string => text;

/** Of RFC 7239: `for=192.0.2.60;proto=https`, `For="[2001:db8::17]:4711"`. */
function hopOfStandard(element: string): string {
  for (const pair of element.split(";")) {
    const [, quoted, plain] = /^\s*for=(?:"([^"\\]*)"|([^\s";,]*))\s*$/i.exec(pair) ?? [];
    const value = quoted ?? plain;
    if (value !== undefined) return value;
  }
  return "";
}

function withoutPort(text: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text) ?? [];
  if (bracketed !== undefined) return bracketed.includes(":") ? bracketed : "";
  const [, ipv4] = /^([\d.]+):\d{1,5}$/.exec(text) ?? [];
  return ipv4 ?? text;
}
