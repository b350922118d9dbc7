/**
 * Planted bugs for the runs on installations, by PLANTED: servers that say yes too early, as somebody might who wants to
 * be faster. Each is in one place and else the product.
 */
import { RabbitJournal } from "../../../src/adapters/rabbitmq/rabbit-journal.ts";
import { ServerDatabase } from "../../../src/adapters/sql/server-database.ts";

const share = 0.2;
const batchesSpared = 12;

type Publish = (this: RabbitJournal, partition: number, text: string) => Promise<boolean>;
type Transact = (this: ServerDatabase, run: unknown, terms?: { readonly wrote?: unknown }) => Promise<unknown>;

const bugs: Readonly<Record<string, () => void>> = {
  /** A message counts as confirmed that was never sent. */
  "confirm-unsent": () => {
    const publish: Publish = Reflect.get(RabbitJournal.prototype, "publish" as string);
    RabbitJournal.prototype.publish = function early(this: RabbitJournal, partition: number, text: string) {
      return text.includes('"lines"') && Math.random() < share ? Promise.resolve(true) : publish.call(this, partition, text);
    };
  },
  /** Some batches are answered and taken back; not the first ones, which open the sales. */
  "commit-taken-back": () => {
    const transact: Transact = Reflect.get(ServerDatabase.prototype, "transact" as string);
    let batches = 0;
    const early: Transact = function early(run, terms = {}) {
      const isHit = terms.wrote !== undefined && ++batches > batchesSpared && Math.random() < share;
      return transact.call(this, run, isHit ? { wrote: () => false } : terms);
    };
    Reflect.set(ServerDatabase.prototype, "transact", early);
  },
};

const name = process.env["PLANTED"] ?? "";
const plant = bugs[name];
if (plant === undefined) throw new Error(`PLANTED is one of ${Object.keys(bugs).join(", ")}; got "${name}"`);
plant();
await import("../../../src/main.ts");
