import type { MerchantId } from "../../domain/access.ts";
import { merchantNameLengthMax, problemOfMerchant, type Merchant } from "../../domain/merchant.ts";
import { isLabel, labelProblem, type DraftProblem } from "../../domain/sale.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Merchants } from "../../ports/merchants.ts";

export type ShopDeps = { readonly accounts: Merchants; readonly clock: Clock };
type Invalid = { readonly kind: "invalid" } & DraftProblem;
export type AddShopAnswer = { readonly kind: "added"; readonly merchant: Merchant } | { readonly kind: "exists" } | Invalid;

export async function addShop({ accounts, clock }: ShopDeps, { id, name }: { id: string; name: string }): Promise<AddShopAnswer> {
  const problem = problemOfMerchant({ id, name });
  if (problem !== undefined) return { kind: "invalid", ...problem };
  const merchant = { id, name, createdAtMs: Math.floor(clock.nowMs()) };
  const added = await accounts.addMerchant(merchant);
  if (added === "too_many") return { kind: "invalid", field: "id", problem: "is one shop more than an installation can hold" };
  return added === "added" ? { kind: "added", merchant } : { kind: "exists" };
}

export type RenameShopAnswer = { readonly kind: "renamed"; readonly merchant: Merchant } | { readonly kind: "merchant_unknown" } | Invalid;

export async function renameShop({ accounts }: ShopDeps, id: MerchantId, name: string): Promise<RenameShopAnswer> {
  if (!isLabel(name, merchantNameLengthMax)) return { kind: "invalid", field: "name", problem: labelProblem(merchantNameLengthMax) };
  const merchant = await accounts.renameMerchant(id, name);
  return merchant === undefined ? { kind: "merchant_unknown" } : { kind: "renamed", merchant };
}

/** The shop that the configuration names. The first of an installation takes over what was there before shops were kept. */
export async function ensureShop({ accounts, clock }: ShopDeps, id: MerchantId): Promise<number> {
  return accounts.ensureMerchant({ id, name: id, createdAtMs: Math.floor(clock.nowMs()) });
}
