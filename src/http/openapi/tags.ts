import type { Tag } from "../route.ts";

/** What the groups of operations are about, in the order in which a reader meets them. */
const tags: Readonly<Record<Tag, string>> = {
  sales: "One product, a price, a stock, a window. A sale is a draft until it is published; from then on its status follows the clock.",
  purchases: "Taking units of a sale. A purchase that was answered 201 is on disk, and its units are held until its deadline.",
  orders: "The same purchases as orders: read, cancelled, refunded.",
  payments: "Money for orders, through a provider or taken by the shop itself.",
  products: "What sales sell, and buyers' own limits for it.",
  accounts: "People who log in.",
  tokens: "Access tokens for the shop's buyers.",
  keys: "Server keys with scopes, by which the shop's own server is known.",
  merchants: "The shops of one installation.",
  exports: "Orders and ledger as tables.",
  system: "Time, health, figures, and this description.",
  seeds: "Paths that earlier systems promised, as aliases of those above.",
};

/** Those that are in use. */
export function tagsOf(used: ReadonlySet<string>): readonly { name: string; description: string }[] {
  return Object.entries(tags)
    .filter(([name]) => used.has(name))
    .map(([name, description]) => ({ name, description }));
}
