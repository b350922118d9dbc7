/** What the two families of servers tell each in its own way. */
import type { ServerSeen } from "../../ports/server-facts.ts";

export type TableSeen = { readonly name: string };

export type FamilyFacts = Pick<
  ServerSeen,
  "product" | "rights" | "readOnly" | "durability" | "isolation" | "characters" | "connections" | "locks" | "packetBytesMax"
> & {
  /** Of ours, those that are there. */
  readonly tables: readonly TableSeen[];
  readonly cipher: string | undefined;
  /** Whether its clock stands still during a statement. */
  readonly isFrozen: boolean;
};
