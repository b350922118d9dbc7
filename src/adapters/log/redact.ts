/**
 * The second wall: nobody should log a secret or somebody's data, and if somebody does, it does not get through here.
 * Names of fields are looked at, and the shapes of secrets in every text. What is left is bounded, so that one field a
 * caller may choose cannot fill the disk.
 *
 * Must stay true: no pattern here takes more than linear time, for its input is hostile.
 */
import type { LogFields } from "../../ports/log.ts";

/** A line has at most so many bytes, as JSON. */
export const lineLengthMax = 8 * 1024;
/** What level, time and the fixed parts of a line may need. */
const frameLength = 256;
const textLengthMax = 4 * 1024;
/** Texts are looked through up to here; nothing behind it is shown. */
const searchedLengthMax = 16 * 1024;
const nameLengthMax = 100;
const depthMax = 3;
const itemsMax = 32;
const hidden = "[hidden]";

/** Field names in lower case without `-` and `_`. Whoever's they are, their values are not for the log. */
// oxfmt-ignore
const hiddenNames: ReadonlySet<string> = new Set([
  "apikey", "xapikey", "authorization", "proxyauthorization", "bearer", "body", "cookie", "credential", "credentials",
  "displayname", "email", "firstname", "fullname", "headers", "idempotencykey", "key", "lastname", "mail", "metadata", "mobile",
  "otp", "passphrase", "payload", "phone", "pin", "query", "search", "setcookie", "sub", "subject", "totp", "useragent", "userid",
  "username", "xforwardedfor", "xuserid",
]);
const hiddenEndings = /(?:password|passwd|secret|token|signature|privatekey|apikey)$/;

/** The names that our own lines have are few and come again with each. */
const knownNames = new Map<string, boolean>();
const knownNamesMax = 1_000;

function isHidden(name: string): boolean {
  let hides = knownNames.get(name);
  if (hides === undefined) {
    const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
    hides = hiddenNames.has(plain) || hiddenEndings.test(plain);
    if (knownNames.size < knownNamesMax && name.length <= nameLengthMax) knownNames.set(name, hides);
  }
  return hides;
}

/** Ids of ours are long numbers too; they stand in fields that say so. */
const isId = (name: string) => name === "id" || name.endsWith("_id");

// oxfmt-ignore
const shapes: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{1,4096}/gi,               "$1 [hidden]"],
  [/\beyJ[\w-]{4,}(?:\.[\w-]*)*/g,                          "[token]"],
  [/\bdb[kr]_[\w.-]+/g,                                        "[server key]"],
  [/\bwhsec_[\w+/=-]+/g,                                    "[secret]"],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g,      "[e-mail]"],
];
/** What all of the above begin with: most texts have none of it and need no further look. */
const suspicious = /@|eyJ|dbk_|dbr_|whsec_|bearer|basic|\d[\d -]{10}/i;
/** Eleven digits: a mobile number, in many countries. */
const longNumber = /\d(?:[ -]?\d){10,}/g;

/** A text without what looks like a secret or like somebody. */
export function redactText(text: string, numbersToo = true): string {
  let clean = text.length > searchedLengthMax ? text.slice(0, searchedLengthMax) : text;
  if (!suspicious.test(clean)) return clean;
  for (const [shape, instead] of shapes) clean = clean.replace(shape, instead);
  return numbersToo ? clean.replace(longNumber, "[number]") : clean;
}

/** What may be written of a line's message and fields: without secrets, and short enough. */
export function redact(message: string, fields: LogFields | undefined): { message: string; fields: LogFields } {
  const writer = new Cleaner(lineLengthMax - frameLength);
  return { message: writer.text(message), fields: fields === undefined ? {} : writer.entries(fields, 0) };
}

/** Copies values until the line is full. */
class Cleaner {
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  text(value: string, numbersToo = true): string {
    const clean = redactText(value, numbersToo);
    const cut = clean.length > textLengthMax ? `${clean.slice(0, textLengthMax)}…` : clean;
    // A character has at most six bytes as JSON.
    const bytes = bytesOf(cut);
    const fitting = bytes <= this.#room ? cut : cut.slice(0, Math.max(0, Math.floor(this.#room / 6)));
    this.#room -= fitting === cut ? bytes : bytesOf(fitting);
    return fitting.isWellFormed() ? fitting : fitting.toWellFormed();
  }

  entries(from: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
    const to: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(from).slice(0, itemsMax)) {
      if (value === undefined || this.#room < frameLength) continue;
      to[this.text(name)] = isHidden(name) ? hidden : this.#value(value, depth, isId(name));
    }
    return to;
  }

  #items(values: readonly unknown[], depth: number): unknown[] {
    const items: unknown[] = [];
    for (const value of values.slice(0, itemsMax)) if (this.#room >= frameLength) items.push(this.#value(value, depth, false));
    return items;
  }

  #value(value: unknown, depth: number, isOurId: boolean): unknown {
    if (typeof value === "string") return this.text(value, !isOurId);
    if (typeof value === "bigint") return this.text(String(value), !isOurId);
    if (typeof value === "number" || typeof value === "boolean" || value === null) {
      this.#room -= 24;
      return value;
    }
    if (typeof value !== "object" || depth >= depthMax) return `[${typeof value}]`;
    if (value instanceof Error) return this.entries(errorFields(value), depth + 1);
    if (Array.isArray(value)) return this.#items(value, depth + 1);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor?.name ?? "object"}]`;
    // A plain object's keys are strings.
    return this.entries(value as Readonly<Record<string, unknown>>, depth + 1);
  }
}

/** At most so many, with quotes, comma and colon. */
function bytesOf(text: string): number {
  let bytes = 4;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32) bytes += 6;
    else if (code < 128) bytes += code === 34 || code === 92 ? 2 : 1;
    // A lone surrogate becomes three bytes, half a pair is two.
    else bytes += 3;
  }
  return bytes;
}

/** JSON knows nothing of an error: it would be `{}`. */
function errorFields(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { type: name, message, code: "code" in error ? error.code : undefined, stack, cause };
}
