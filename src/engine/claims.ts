/**
 * Ids of things that a client makes under a key of its own (`Idempotency-Key`): the same submission again gets the id of
 * the first, so that doing it again is doing nothing. The store remembers; a claim whose use never came is harmless.
 */
import type { Catalogue } from "../ports/catalogue.ts";
import type { Ids } from "../ports/ids.ts";

/** Who submits, and under which key. */
export type Submission = { readonly owner: string; readonly key: string };

export type ClaimDeps = { readonly catalogue: Catalogue; readonly ids: Ids };
export type Claimed = { readonly kind: "claimed"; readonly id: string; readonly repeated: boolean } | { readonly kind: "differs" };

/** `what` keeps the keys of one kind of thing apart from those of another; `fields` are what a repeat must repeat. */
export async function claimId(
  { catalogue, ids }: ClaimDeps,
  submission: Submission | undefined,
  { what, fields }: { what: string; fields: readonly unknown[] },
): Promise<Claimed> {
  const id = ids.mint();
  if (submission === undefined) return { kind: "claimed", id, repeated: false };
  return catalogue.claimId({ owner: submission.owner, key: `${what} ${submission.key}`, fingerprint: JSON.stringify(fields), id });
}
