/** What a rehearsal looks at before it storms a running deployment, and while it does. Reads only. */
import { parseUtcText } from "../../lib/utc-text.ts";
import { isShadow } from "./shadow-sale.ts";
import { isObject, type ShopClient } from "./shop-client.ts";

/** What the server says of itself in `/healthz`. */
export type ServerEnvironment = {
  readonly version?: string | undefined;
  readonly environment?: string | undefined;
  readonly commit?: string | undefined;
};
/** The machine that asks; the server may run on the same one. */
export type ClientEnvironment = {
  readonly version: string;
  readonly runtime: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
};

const pagesMax = 20;
const pageSize = 100;
const soonMs = 60_000;

export async function serverEnvironment(shop: ShopClient): Promise<ServerEnvironment> {
  const { data } = await shop.call("GET", "/healthz");
  const told = (name: string) => (typeof data[name] === "string" ? data[name].slice(0, 100) : undefined);
  return { version: told("version"), environment: told("environment"), commit: told("commit") };
}

/**
 * The real sale that a storm would disturb, in words: one that is live, or begins before the storm is over. Undefined if
 * there is none; also when the list could not be read, if `unreadable` is `ignored`: other guards see a sick server.
 */
export async function realSaleOn(
  shop: ShopClient,
  { untilMs, unreadable }: { untilMs: number; unreadable: "ignored" | "named" },
): Promise<string | undefined> {
  for (const status of ["live", "scheduled"] as const) {
    for (let page = 1; page <= pagesMax; page++) {
      const { kind, data } = await shop.call("GET", `/api/v1/sales?status=${status}&page=${page}&page_size=${pageSize}`);
      const items: unknown = data["items"];
      if (kind !== "ok" || !Array.isArray(items)) return unreadable === "named" ? "the list of sales cannot be read" : undefined;
      const sale = items
        .filter(isObject)
        .find((item) => !isShadow(item) && (status === "live" || (parseUtcText(String(item["starts_at"])) ?? 0) < untilMs + soonMs));
      if (sale !== undefined) return describe(sale, status);
      if (items.length < pageSize) break;
    }
  }
  return undefined;
}

function describe(sale: Readonly<Record<string, unknown>>, status: "live" | "scheduled"): string {
  const named = `the real sale ${String(sale["id"])} ("${String(sale["name"]).slice(0, 80)}")`;
  return status === "live" ? `${named} is live` : `${named} begins at ${String(sale["starts_at"])}, before the storm is over`;
}
