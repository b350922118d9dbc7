/** Six digits that change every 30 seconds (TOTP, RFC 6238), as authenticator apps show them. */
export interface OneTimeCodes {
  newSecret(): string;
  /** What an app reads from a QR code. */
  uri(secret: string, username: string): string;
  /** The step a code belongs to, if it is right now or was a step ago, and later than `afterStep`. */
  check(ask: { secret: string; code: string; nowMs: number; afterStep: number }): number | undefined;
}
