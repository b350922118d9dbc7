/**
 * Tickets for a buyer's event stream: tokens of another kind, signed with keys derived from ours, so that neither opens
 * the other's door whoever shows it where.
 */
import { createHmac } from "node:crypto";
import type { Tokens } from "../../ports/tokens.ts";
import { createTokens, type TokenKey, type TokenOptions } from "./tokens.ts";

const purpose = "doorbuster event ticket";

export function createEventTickets({ keys, ...options }: TokenOptions): Tokens {
  const derived = ({ kid, secret }: TokenKey): TokenKey => ({ kid, secret: createHmac("sha256", secret).update(purpose).digest() });
  const [minting, ...others] = keys;
  return createTokens({ ...options, keys: [derived(minting), ...others.map(derived)] });
}
