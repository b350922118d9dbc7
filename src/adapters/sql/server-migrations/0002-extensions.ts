/** The columns of the embedded store's sixth step. In the order in which a sale's transactions take the tables. */
import { addColumn, type ServerFlavour } from "../server-schema.ts";

export const extensions = (flavour: ServerFlavour): readonly string[] => [
  ...addColumn({ table: "sale", column: "pay_extensions_max", is: "INTEGER NOT NULL DEFAULT 0" }, flavour),
  ...addColumn({ table: "purchase", column: "extensions", is: "INTEGER NOT NULL DEFAULT 0" }, flavour),
];
