import type { TokenHolder } from "./tokens.ts";

/**
 * What ends tokens before their time: log-outs, bans, changed roles. Asked on every request that carries a token, so it
 * answers from memory, at once, and costs next to nothing while there is nothing to know.
 */
export interface Revocations {
  isRevoked(holder: TokenHolder): boolean;
}
