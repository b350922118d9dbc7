/** The only source of chance. */
export interface Entropy {
  /** In [0, 1). Not for secrets. */
  random(): number;
  /** `size` unpredictable bytes in base64url, for secrets and opaque ids. */
  secret(size: number): string;
}
