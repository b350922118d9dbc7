/** Mints ids that no other object has (see domain/id-mint.ts). */
export interface Ids {
  mint(): string;
}
