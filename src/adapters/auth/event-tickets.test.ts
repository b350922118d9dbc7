import { expect, test } from "bun:test";
import { buyerId } from "../../../tests/kit/samples.ts";
import { SeededEntropy } from "../../../tests/kit/seeded-entropy.ts";
import { createEventTickets } from "./event-tickets.ts";
import { createTokens, type TokenOptions } from "./tokens.ts";

const nowMs = Date.UTC(2030, 0, 1);
const options: TokenOptions = {
  keys: [
    { kid: "new", secret: Buffer.alloc(32, 1) },
    { kid: "old", secret: Buffer.alloc(32, 2) },
  ],
  issuer: "here",
  entropy: new SeededEntropy(1),
};
const grant = {
  buyer: { issuer: "shop", subject: "ann" },
  buyerId: buyerId(7),
  nowMs,
  lifetimeMs: 60_000,
  account: { session: "5", role: "buyer", merchant: undefined },
} as const;

test("[LP11] a ticket says who its token named, for as long", () => {
  const tickets = createEventTickets(options);
  const holder = { buyer: grant.buyer, buyerId: grant.buyerId, expiresAtMs: nowMs + 60_000, account: grant.account };
  expect(tickets.check(tickets.mint(grant), nowMs)).toEqual(holder);
  expect(tickets.check(tickets.mint(grant), nowMs + 60_000)).toBeUndefined();
});

test("[LP11] a ticket is no token and a token is no ticket, under any of the keys", () => {
  const [tickets, tokens] = [createEventTickets(options), createTokens(options)];
  expect(tokens.check(tickets.mint(grant), nowMs)).toBeUndefined();
  expect(tickets.check(tokens.mint(grant), nowMs)).toBeUndefined();
});

test("[LP11] tickets of a key that was put behind another are still good", () => {
  const [minting, old] = options.keys;
  if (old === undefined) throw new Error("there are two keys");
  const before = createEventTickets({ ...options, keys: [old] });
  expect(createEventTickets({ ...options, keys: [minting, old] }).check(before.mint(grant), nowMs)?.buyerId).toBe(grant.buyerId);
});
