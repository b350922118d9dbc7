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

function isHidden(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
  return hiddenNames.has(plain) || hiddenEndings.test(plain);
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
const longNumber = /\d(?:[ -]?\d){11,}/g;

/** A text without what looks like a secret or like somebody. */
export function redactText(text: string, numbersToo = true): string {
  let clean = text.length > searchedLengthMax ? text.slice(0, searchedLengthMax) : text;
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
    const fitting = (bytesOf(cut) <= this.#room ? cut : cut.slice(0, Math.max(0, Math.floor(this.#room / 6)))).toWellFormed();
    this.#room -= bytesOf(fitting);
    return fitting;
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

const bytesOf = (text: string) => Buffer.byteLength(JSON.stringify(text)) + 4;

/** JSON knows nothing of an error: it would be `{}`. */
function errorFields(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { type: name, message, code: "code" in error ? error.code : undefined, stack, cause };
}
