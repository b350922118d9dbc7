/**
 * People's own accounts. An account is a buyer of the issuer `local` whose subject is the account's id, so neither orders
 * nor the ledger ever hold its name: erasing the account leaves a number behind that says nothing.
 */
import { localIssuer, type MerchantId, type Role } from "./access.ts";
import type { AccountId, Buyer, BuyerId } from "./ids.ts";
import { isLabel, labelProblem, type DraftProblem } from "./sale.ts";

export type SecondFactor = {
  /** Sealed: only the server's key opens it. */
  readonly sealedSecret: string;
  /** Whether a code was ever right. Before that nothing is asked for at log-in. */
  readonly confirmed: boolean;
  /** The 30-second step of the last code that was used: neither it nor an earlier one counts again. */
  readonly lastStep: number;
  /** Digests of the recovery codes not used yet. */
  readonly recovery: readonly string[];
};

export type Ban = { readonly atMs: number; readonly reason: string };

export type Account = {
  readonly id: AccountId;
  /** As it was written, and as it is compared. */
  readonly username: string;
  readonly usernameKey: string;
  readonly displayName?: string | undefined;
  readonly passwordHash: string;
  readonly passwordChangedAtMs: number;
  readonly role: Role;
  /** The shop of a merchant. */
  readonly merchant?: MerchantId | undefined;
  readonly buyerId: BuyerId;
  readonly secondFactor?: SecondFactor | undefined;
  readonly ban?: Ban | undefined;
  /** When it was banned or unbanned last; 0 for never. */
  readonly banChangedAtMs: number;
  readonly createdAtMs: number;
  /** Counts its changes from 1: a change is made to the version that was read, or not at all. */
  readonly version: number;
};

export const buyerOf = ({ id }: Pick<Account, "id">): Buyer => ({ issuer: localIssuer, subject: id });

export const usernameLengthMin = 3;
export const usernameLengthMax = 64;
export const displayNameLengthMax = 64;
export const banReasonLengthMax = 200;

/** Letters and digits of any script, and what stands in e-mail addresses: nothing invisible, no spaces. */
const usernamePattern = /^[\p{L}\p{N}._@+-][\p{L}\p{M}\p{N}._@+-]*$/u;

/** The spelling under which a name is unique: compatibility forms and case are not a difference. */
export function usernameKeyOf(username: string): string {
  return username.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}

export function problemOfUsername(username: string): DraftProblem | undefined {
  // Looked at first: normalising a long text is work.
  const { length } = username.length > usernameLengthMax * 4 ? username : Array.from(username.normalize("NFKC"));
  if (length < usernameLengthMin || length > usernameLengthMax)
    return { field: "username", problem: `must have ${usernameLengthMin} to ${usernameLengthMax} characters` };
  if (!usernamePattern.test(username.normalize("NFKC")))
    return { field: "username", problem: "must consist of letters, digits, dot, dash, underscore, plus and @" };
  return undefined;
}

export function problemOfDisplayName(name: string | undefined): DraftProblem | undefined {
  if (name === undefined || isLabel(name, displayNameLengthMax)) return undefined;
  return { field: "display_name", problem: labelProblem(displayNameLengthMax) };
}
