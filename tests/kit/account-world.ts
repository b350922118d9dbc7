/** Accounts over the memory store, with a clock that a test moves and a hash that costs nothing. */
import { generateSync } from "otplib";
import { createAccountSecrets } from "../../src/adapters/auth/account-secrets.ts";
import { createOneTimeCodes } from "../../src/adapters/auth/one-time-codes.ts";
import { inlinePasswords } from "../../src/adapters/auth/passwords.ts";
import { createServerKeys, type ServerKeyOption } from "../../src/adapters/auth/server-keys.ts";
import { createTokens } from "../../src/adapters/auth/tokens.ts";
import { MemoryAccounts } from "../../src/adapters/memory/memory-accounts.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { IdMint } from "../../src/domain/id-mint.ts";
import type { AccountDeps } from "../../src/engine/accounts/deps.ts";
import { RevocationBoard } from "../../src/engine/accounts/revocation-board.ts";
import { SignInLimits } from "../../src/engine/accounts/sign-in-limits.ts";
import type { KeyRing } from "../../src/ports/key-ring.ts";
import { ManualTime } from "./manual-time.ts";
import { SeededEntropy } from "./seeded-entropy.ts";

export const worldStartMs = Date.UTC(2030, 0, 1, 12);
export const quickCost = { memoryKib: 8, passes: 1 };
export const goodPassword = "kettle under the moon";

/** What accounts need beside the store; made once, for its keys cost some milliseconds. */
export const quickPasswords = inlinePasswords(quickCost);
export const worldSecrets = createAccountSecrets(new Uint8Array(32).fill(7), new SeededEntropy(7));
export const worldCodes = createOneTimeCodes("Doorbuster");

/** What an authenticator app shows. */
export const codeOf = (secret: string, nowMs: number): string => generateSync({ secret, epoch: Math.floor(nowMs / 1000) });

/** For an API under test: a store of its own, and the rest of the one world. */
export function memoryPeople({ store, keyRing }: { store?: MemoryStore | undefined; keyRing?: KeyRing | undefined } = {}) {
  const accounts = new MemoryAccounts(store?.tables);
  const shared = { passwords: quickPasswords, secrets: worldSecrets, codes: worldCodes };
  return {
    accounts,
    ...shared,
    revocations: new RevocationBoard(),
    limits: new SignInLimits(),
    keyRing: keyRing ?? createServerKeys([], new SeededEntropy(13)),
  };
}

export function openAccountWorld({ configured = [] }: { configured?: readonly ServerKeyOption[] } = {}) {
  const time = new ManualTime(worldStartMs);
  const entropy = new SeededEntropy(11);
  const catalogue = new MemoryStore();
  const accounts = new MemoryAccounts();
  const ids = new IdMint({ nowMs: () => time.nowMs(), random: () => entropy.random() });
  const tokens = createTokens({ keys: [{ kid: "t", secret: new Uint8Array(32).fill(5) }], issuer: "test", entropy });
  const deps: AccountDeps = {
    accounts,
    catalogue,
    passwords: quickPasswords,
    secrets: worldSecrets,
    codes: worldCodes,
    tokens,
    revocations: new RevocationBoard(),
    limits: new SignInLimits(),
    clock: time,
    tasks: time,
    ids,
  };
  return { time, entropy, accounts, catalogue, deps, keyRing: createServerKeys(configured, entropy) };
}
