import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createClientOf, hopsMax } from "./client-address.ts";

const proxies = ["10.0.0.0/8", "fd00::/8"];
const clientOf = createClientOf(proxies);
const proxy = "10.0.0.1";
const stranger = "203.0.113.9";
const asked = (headers: Record<string, string>, peer = proxy, of = clientOf) => of(new Headers(headers), peer);

describe("[LP16] the client is", () => {
  test.each([
    ["the peer, without proxies", {}, stranger, stranger],
    ["the peer, whatever it writes", { "x-forwarded-for": "198.51.100.1", forwarded: "for=198.51.100.1" }, stranger, stranger],
    ["the peer, mapped or not", {}, `::ffff:${stranger}`, stranger],
    ["the /64 of an IPv6 peer", {}, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["a trusted proxy that says nothing", {}, proxy, proxy],
    ["who the trusted proxy saw", { "x-forwarded-for": stranger }, proxy, stranger],
    ["who it saw, by a mapped peer", { "x-forwarded-for": stranger }, `::ffff:${proxy}`, stranger],
    ["who it saw, by an IPv6 peer", { "x-forwarded-for": stranger }, "fd00::7", stranger],
    ["the right-most, for the left is the client's own", { "x-forwarded-for": `198.51.100.1, ${stranger}` }, proxy, stranger],
    ["behind two proxies, who the outer one saw", { "x-forwarded-for": `198.51.100.1, ${stranger}, 10.9.9.9` }, proxy, stranger],
    ["the outermost, where all are trusted", { "x-forwarded-for": "10.7.7.7, 10.8.8.8" }, proxy, "10.7.7.7"],
    ["with a port", { "x-forwarded-for": `${stranger}:4711` }, proxy, stranger],
    ["in brackets with a port", { "x-forwarded-for": "[2001:db8:1:2::9]:443" }, proxy, "2001:db8:1:2::/64"],
    ["IPv6, by its /64", { "x-forwarded-for": "2001:db8:1:2:aaaa::1" }, proxy, "2001:db8:1:2::/64"],
    ["by the standard header", { forwarded: `for=${stranger};proto=https;by=10.0.0.1` }, proxy, stranger],
    ["by the standard header, quoted", { forwarded: 'proto=https; For="[2001:db8:1:2::9]:4711"' }, proxy, "2001:db8:1:2::/64"],
    ["by the standard header, right-most", { forwarded: `for=198.51.100.1, for=${stranger}` }, proxy, stranger],
    ["what a quote left open cannot hide", { forwarded: `for="198.51.100.1, for=${stranger}` }, proxy, stranger],
    ["by both, when they agree", { forwarded: `for=${stranger}`, "x-forwarded-for": stranger }, proxy, stranger],
  ])("%s", (_, headers, peer, client) => expect(asked(headers as Record<string, string>, peer)).toBe(client));

  test.each([
    ["no address", { "x-forwarded-for": "unknown" }],
    ["nothing", { "x-forwarded-for": "" }],
    ["an empty hop", { "x-forwarded-for": `${stranger}, ` }],
    ["only commas", { "x-forwarded-for": ",,,," }],
    ["a comma before", { "x-forwarded-for": ",10.1.1.1" }],
    ["an address out of range", { "x-forwarded-for": "203.0.113.999" }],
    ["octal", { "x-forwarded-for": "0203.0.113.9" }],
    ["a name", { "x-forwarded-for": "client.example" }],
    ["a quoted address where none is quoted", { "x-forwarded-for": `"${stranger}"` }],
    ["IPv4 in brackets", { "x-forwarded-for": `[${stranger}]` }],
    ["garbage behind a trusted hop", { "x-forwarded-for": `${stranger}, rubbish, 10.1.1.1` }],
    ["more hops than anybody has", { "x-forwarded-for": [stranger, ...Array.from({ length: hopsMax }, () => "10.1.1.1")].join(", ") }],
    ["an obfuscated node", { forwarded: "for=_hidden" }],
    ["no node", { forwarded: "proto=https" }],
    ["an escaped quote", { forwarded: 'for="203.0.113.9\\"' }],
    ["two headers that differ", { forwarded: `for=${stranger}`, "x-forwarded-for": "198.51.100.1" }],
    ["two headers, one unreadable", { forwarded: "for=unknown", "x-forwarded-for": stranger }],
  ])("the proxy itself, when it tells %s", (_, headers) => expect(asked(headers as Record<string, string>)).toBe(proxy));

  test("a socket without an address, by what it is", () => expect(asked({ "x-forwarded-for": stranger }, "")).toBe(""));
});

describe("[LP17] 700 requests with rotating X-Forwarded-For from one peer are one client", () => {
  const names = (of: typeof clientOf, peer: string) =>
    new Set(Array.from({ length: 700 }, (_, i) => asked({ "x-forwarded-for": `198.51.${i >> 8}.${i & 255}` }, peer, of)));

  test("without trusted proxies", () => expect(names(createClientOf([]), stranger)).toEqual(new Set([stranger])));
  test("with some, from elsewhere", () => expect(names(clientOf, stranger)).toEqual(new Set([stranger])));
  test("control: whoever trusts every peer counts 700", () => {
    expect(names(createClientOf(["0.0.0.0/0"]), stranger).size).toBe(700);
  });

  test("also through a trusted proxy, which writes the peer's address behind whatever came", () => {
    const anything = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: "binary-ascii", maxLength: 40 }).map((text) => text.trim()),
    );
    const readable = /^[\t -~]*$/;
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 20 }), fc.boolean(), (rotating, isStandard) => {
        const own = rotating.join(", ");
        fc.pre(readable.test(own));
        const header = isStandard ? { forwarded: `${own}, for=${stranger}` } : { "x-forwarded-for": `${own}, ${stranger}` };
        expect(asked(header)).toBe(stranger);
      }),
      { numRuns: 2_000 },
    );
  });
});
