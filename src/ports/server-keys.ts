/** A shop's own servers. They act for the shop, and for its buyers by naming them. */
export type ServerKey = {
  readonly id: string;
  /** The issuer of the buyer ids this key names. */
  readonly issuer: string;
};

export interface ServerKeys {
  /** Constant-time by comparing digests; undefined for a key we do not know. */
  check(presented: string): ServerKey | undefined;
}
