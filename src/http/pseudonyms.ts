/**
 * Names for people in the log: the same person has the same one as long as the installation keeps its secret, and without
 * the secret nobody can tell whose it is, or find the same person in another installation's log.
 */
import { createHmac } from "node:crypto";
import type { Buyer } from "../domain/ids.ts";

const shownLength = 12;

export type Pseudonyms = { readonly ofBuyer: (buyer: Buyer) => string; readonly ofAddress: (address: string) => string };

export function createPseudonyms(secret: string): Pseudonyms {
  const of = (text: string) => createHmac("sha256", secret).update(text).digest("hex").slice(0, shownLength);
  return {
    ofBuyer: ({ issuer, subject }) => of(`${issuer} ${subject}`),
    ofAddress: (address) => of(address),
  };
}
