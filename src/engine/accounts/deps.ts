import type { AccountSecrets } from "../../ports/account-secrets.ts";
import type { AccountStore } from "../../ports/account-store.ts";
import type { Catalogue } from "../../ports/catalogue.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { OneTimeCodes } from "../../ports/one-time-codes.ts";
import type { Passwords } from "../../ports/passwords.ts";
import type { Tasks } from "../../ports/tasks.ts";
import type { Tokens } from "../../ports/tokens.ts";
import type { RevocationBoard } from "./revocation-board.ts";
import type { SignInLimits } from "./sign-in-limits.ts";

/** What the use cases of accounts are given. */
export type AccountDeps = {
  readonly accounts: AccountStore;
  readonly catalogue: Catalogue;
  readonly passwords: Passwords;
  readonly secrets: AccountSecrets;
  readonly codes: OneTimeCodes;
  readonly tokens: Tokens;
  readonly revocations: RevocationBoard;
  readonly limits: SignInLimits;
  readonly clock: Clock;
  readonly tasks: Tasks;
  readonly ids: Ids;
};
