/** Says whether a callback comes from the provider and is fresh (Standard Webhooks). One verifier per provider. */
export interface CallbackVerifier {
  /** `body` is what arrived, byte for byte; headers are as they arrived, absent ones null. */
  verify(message: SignedMessage, nowMs: number): CallbackVerdict;
}

export type SignedMessage = {
  /** `webhook-id` */
  readonly id: string | null;
  /** `webhook-timestamp` */
  readonly timestamp: string | null;
  /** `webhook-signature` */
  readonly signature: string | null;
  readonly body: Uint8Array;
};

/** `problem` is for our logs: the sender learns only that it was rejected. */
export type CallbackVerdict = { readonly kind: "verified"; readonly id: string } | { readonly kind: "rejected"; readonly problem: string };
