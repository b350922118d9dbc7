import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isIPv4, isIPv6 } from "node:net";
import { isInRange, isPartialRange, networkOf, parseIp, parseIpRange, type IpAddress, type IpRange } from "./ip-address.ts";

const must = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error("the test's own address cannot be read");
  return value;
};

describe("an address", () => {
  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["::FFFF:cb00:7109", "203.0.113.9"],
    ["0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002::9", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["64:ff9b::203.0.113.9", "64:ff9b:0:0::/64"],
  ])("%s belongs to %s", (text, network) => expect(networkOf(must(parseIp(text)))).toBe(network));

  // oxfmt-ignore
  test.each([
    "", " ", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "0x1.2.3.4", "1e1.2.3.4", "-1.2.3.4",
    ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9", "12345::", "g::", "1.2.3.4::", "::1.2.3.4:5",
    "::1.2.3", "[::1]", "1.2.3.4:80", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:", "\u0661.2.3.4", "1".repeat(10_000), ":".repeat(10_000),
  ])("%p is none", (text) => expect(parseIp(text)).toBeUndefined());

  test("is read where the machine's own library reads one, and nowhere else", () => {
    const digits = fc.constantFrom("0", "1", "9", "25", "255", "256", "a", "ffff", "::", ":", ":", ".", ".", "1.2.3.4", "%e");
    const near = fc.array(digits, { maxLength: 16 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), near), (text) => {
        // The library takes any zone, or none behind the percent sign; here what stands behind it is not looked at.
        const expected = isIPv4(text) || isIPv6(text.split("%")[0] ?? "");
        expect(parseIp(text) !== undefined).toBe(expected && (isIPv4(text) || text.includes(":")));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("a range", () => {
  test.each([
    ["10.0.0.0/8", "10.255.1.2", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.128/25", "192.0.2.128", true],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.6", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::1", "::1", true],
    ["::1/127", "::", true],
    ["::1", "127.0.0.1", false],
  ])("%s holds %s: %p", (range, address, holds) => {
    expect(isInRange(must(parseIp(address)), must(parseIpRange(range)))).toBe(holds);
  });

  test.each([
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "::/129",
    "10.0.0/8",
    "a/8",
    "fe80::%e/64",
    "10.0.0.0/ 8",
  ])("%p is none", (text) => expect(parseIpRange(text)).toBeUndefined());

  test.each([
    ["0.0.0.0/0", false],
    ["::/0", false],
    ["::ffff:0:0/96", false],
    ["::/1", false],
    ["0.0.0.0/1", true],
    ["10.0.0.0/8", true],
    ["2000::/3", true],
    ["::1", true],
  ])("%s leaves somebody out: %p", (text, partial) => expect(isPartialRange(must(parseIpRange(text)))).toBe(partial));

  test("holds what begins with its bits", () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    const address = fc.array(group, { minLength: 8, maxLength: 8 });
    const bitsOf = (groups: IpAddress) => groups.map((word) => word.toString(2).padStart(16, "0")).join("");
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 128 }), fc.integer({ min: 0, max: 128 }), (one, other, bits, common) => {
        const mixed = Number.parseInt.bind(undefined);
        const text = bitsOf(one).slice(0, common) + bitsOf(other).slice(common);
        const neighbour = Array.from({ length: 8 }, (_, i) => mixed(text.slice(i * 16, i * 16 + 16), 2));
        const range: IpRange = { address: one, bits };
        expect(isInRange(neighbour, range)).toBe(bitsOf(neighbour).startsWith(bitsOf(one).slice(0, bits)));
      }),
      { numRuns: 1_000 },
    );
  });
});
