import type { Access, MerchantId } from "../domain/access.ts";

/** A shop's own servers. They act for the shop within their scopes, and for its buyers by naming them. */
export type ServerKey = {
  readonly id: string;
  /** The shop, which is also the issuer of the buyer ids this key names. */
  readonly issuer: MerchantId;
  readonly access: Access;
};

export interface ServerKeys {
  /** Constant-time by comparing digests; undefined for a key we do not know, or no longer. */
  check(presented: string, nowMs: number): ServerKey | undefined;
}
