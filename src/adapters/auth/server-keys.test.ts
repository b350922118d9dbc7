import { describe, expect, test } from "bun:test";
import { parseKeyId, type KeyId } from "../../domain/ids.ts";
import type { KeyRecord } from "../../domain/server-key.ts";
import { SystemEntropy } from "../system/system-entropy.ts";
import { createServerKeys } from "./server-keys.ts";

const keys = createServerKeys([
  { id: "a", issuer: "shop", secret: "first-key-of-the-shop-0123456789" },
  { id: "b", issuer: "other", secret: "second-key-0123456789-0123456789" },
]);

test("[E3] a known key names its shop", () => {
  expect(keys.check("first-key-of-the-shop-0123456789", 0)).toMatchObject({ id: "a", issuer: "shop", access: { merchant: "shop" } });
  expect(keys.check("second-key-0123456789-0123456789", 0)).toMatchObject({ id: "b", issuer: "other", access: { merchant: "other" } });
});

test.each([
  "",
  "x",
  "first-key-of-the-shop-012345678",
  "first-key-of-the-shop-0123456789 ",
  "FIRST-KEY-OF-THE-SHOP-0123456789",
  "a",
  "undefined",
])("refuses %p", (presented) => expect(keys.check(presented, 0)).toBeUndefined());

test("an overlong key is refused without being hashed", () => expect(keys.check("x".repeat(100_000), 0)).toBeUndefined());
test("no keys, no entry", () => expect(createServerKeys([]).check("", 0)).toBeUndefined());
test("an empty secret is refused at start", () =>
  expect(() => createServerKeys([{ id: "a", issuer: "s", secret: "" }])).toThrow("1 to 256"));

describe("keys of the store", () => {
  const nowMs = 1_900_000_000_000;
  const ringWith = (change: Partial<KeyRecord> = {}) => {
    const ring = createServerKeys([{ id: "one", issuer: "shop", secret: "first-key-of-the-shop-0123456789" }], new SystemEntropy());
    const { secret, ...made } = ring.make();
    const record: KeyRecord = {
      id: parseKeyId("77") as KeyId,
      merchant: "lamps",
      name: "till",
      scopes: ["buyers:act", "orders:read"],
      ...made,
      createdAtMs: nowMs,
      changedAtMs: nowMs,
      ...change,
    };
    ring.put(record);
    return { ring, secret, record };
  };

  test("[AC16] a made key is 256 bits of chance behind its mark, and counts once it is put", () => {
    const { ring, secret, record } = ringWith();
    expect(secret).toMatch(/^dbk_[\w-]{43}$/);
    expect(secret).toStartWith(record.prefix);
    expect(record.digest).toMatch(/^[0-9a-f]{64}$/);
    const found = ring.check(secret, nowMs);
    expect(found).toMatchObject({ id: "77", issuer: "lamps", access: { merchant: "lamps" } });
    expect([...(found?.access.permissions ?? [])]).toEqual(["buyers:act", "orders:read"]);
    expect(ring.check(ring.make().secret, nowMs)).toBeUndefined();
    expect(ring.check(record.digest, nowMs)).toBeUndefined();
  });

  test("[AC16] a key counts until it expires, and not from that moment on", () => {
    const { ring, secret } = ringWith({ expiresAtMs: nowMs + 1000 });
    expect(ring.check(secret, nowMs + 999)).toBeDefined();
    expect(ring.check(secret, nowMs + 1000)).toBeUndefined();
  });

  test("[AC16] a revoked key counts no more, and an older reading of it does not bring it back", () => {
    const { ring, secret, record } = ringWith();
    ring.put({ ...record, revokedAtMs: nowMs + 5, changedAtMs: nowMs + 5 });
    expect(ring.check(secret, nowMs + 6)).toBeUndefined();
    ring.put(record);
    expect(ring.check(secret, nowMs + 6)).toBeUndefined();
  });

  test("[AC16] a scope that we do not know grants nothing", () => {
    const { ring, secret } = ringWith({ scopes: ["everything" as "orders:read"] });
    expect(ring.check(secret, nowMs)?.access.permissions.size).toBe(0);
  });

  test("[AC16] the store cannot change a key of the configuration", () => {
    const { ring } = ringWith();
    const configured = ring.check("first-key-of-the-shop-0123456789", nowMs);
    const digest = new Bun.CryptoHasher("sha256").update("first-key-of-the-shop-0123456789").digest("hex");
    ring.put({ ...ringWith().record, digest, revokedAtMs: nowMs });
    expect(ring.check("first-key-of-the-shop-0123456789", nowMs)).toBe(configured);
  });

  test("[AC16] the day of the last use is told once", () => {
    const { ring, secret, record } = ringWith();
    for (let i = 0; i < 5; i++) ring.check(secret, nowMs + i);
    ring.check("first-key-of-the-shop-0123456789", nowMs);
    expect(ring.takeUsed()).toEqual([{ id: record.id, day: Math.floor(nowMs / 86_400_000) }]);
    ring.check(secret, nowMs + 10);
    expect(ring.takeUsed()).toEqual([]);
    ring.check(secret, nowMs + 86_400_000);
    expect(ring.takeUsed()).toHaveLength(1);
  });
});
