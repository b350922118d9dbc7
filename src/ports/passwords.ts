/**
 * Hashes passwords, slowly on purpose, off the thread that answers requests. Only so many wait; beyond it nothing is
 * tried and the answer is `busy`.
 */
export interface Passwords {
  hash(password: string): Promise<HashAnswer>;
  /** Without a hash the same work is done for nothing, so that the time does not tell whether there is an account. */
  verify(hash: string | undefined, password: string): Promise<VerifyAnswer>;
}

export type HashAnswer = { readonly kind: "hash"; readonly hash: string } | { readonly kind: "busy" };
export type VerifyAnswer =
  /** `outdated`: made with less work than is asked for today. */
  { readonly kind: "right"; readonly outdated: boolean } | { readonly kind: "wrong" } | { readonly kind: "busy" };
