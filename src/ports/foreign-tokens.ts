/** Tokens that the shop's own sign-in has made, checked against the keys it publishes (JWKS). */
export interface ForeignTokens {
  check(token: string, nowMs: number): Promise<ForeignAnswer>;
}

export type ForeignAnswer =
  | { readonly kind: "holder"; readonly subject: string; readonly expiresAtMs: number }
  /** Why, for the log. */
  | { readonly kind: "refused"; readonly why: string }
  /** The shop's keys cannot be read now. */
  | { readonly kind: "unavailable"; readonly why: string };
