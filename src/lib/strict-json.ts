/**
 * JSON without its traps: what JSON.parse takes, minus duplicate keys, keys that reach into prototypes, numbers beyond
 * any double, fractions that a double makes integers, lone surrogates and deep nesting. JSON.parse decides what is JSON;
 * one scan over the text, which is then known to be valid, finds the rest and where each top-level member stands, so that
 * a caller's own digits are not lost.
 */
export type StrictJson =
  | { readonly kind: "json"; readonly value: unknown; readonly members: ReadonlyMap<string, string> }
  | { readonly kind: "bad"; readonly field: string; readonly problem: string };

export const jsonDepthMax = 10;
const fieldLengthMax = 80;
const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** `members` holds the source text of each member of a top-level object, without whitespace between tokens. */
export function parseStrictJson(text: string): StrictJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "bad", field: "body", problem: "must be valid JSON" };
  }
  const scan = new Scan(text);
  const problem = scan.value("", 0);
  if (problem !== undefined) return { kind: "bad", field: clip(problem.field), problem: problem.problem };
  return { kind: "json", value, members: scan.members };
}

type Problem = { readonly field: string; readonly problem: string };

class Scan {
  readonly members = new Map<string, string>();
  readonly #text: string;
  #at = 0;
  /** Tokens of the top-level member being read. */
  #compact = "";

  constructor(text: string) {
    this.#text = text;
  }

  value(field: string, depth: number): Problem | undefined {
    const first = this.#peek();
    if (first === "{") return this.#object(field, depth + 1);
    if (first === "[") return this.#array(field, depth + 1);
    if (first === '"') return this.#wellFormed(this.#string(), field);
    return this.#scalar(field);
  }

  #object(field: string, depth: number): Problem | undefined {
    if (depth > jsonDepthMax) return tooDeep(field);
    const seen = new Set<string>();
    this.#take(1);
    while (this.#peek() !== "}") {
      if (this.#peek() === ",") this.#take(1);
      this.#peek();
      const key = this.#string();
      const name = field === "" ? key : `${field}.${key}`;
      if (seen.has(key)) return { field: name, problem: "must not be given twice" };
      if (forbiddenKeys.has(key)) return { field: name, problem: "is not an allowed field name" };
      const ill = this.#wellFormed(key, name);
      if (ill !== undefined) return ill;
      seen.add(key);
      this.#peek();
      this.#take(1);
      if (depth === 1) this.#compact = "";
      const problem = this.value(name, depth);
      if (problem !== undefined) return problem;
      if (depth > 1) continue;
      if (losesFraction(this.#compact)) return { field: name, problem: "must have fewer digits" };
      this.members.set(key, this.#compact);
    }
    this.#take(1);
    return undefined;
  }

  #array(field: string, depth: number): Problem | undefined {
    if (depth > jsonDepthMax) return tooDeep(field);
    this.#take(1);
    for (let index = 0; this.#peek() !== "]"; index++) {
      if (this.#peek() === ",") this.#take(1);
      const problem = this.value(`${field}[${index}]`, depth);
      if (problem !== undefined) return problem;
    }
    this.#take(1);
    return undefined;
  }

  /** A number, true, false or null. */
  #scalar(field: string): Problem | undefined {
    let end = this.#at;
    while (end < this.#text.length && !",]} \t\n\r".includes(this.#text.charAt(end))) end += 1;
    const token = this.#take(end - this.#at);
    const isNumber = token !== "true" && token !== "false" && token !== "null";
    return isNumber && !Number.isFinite(Number(token)) ? { field: field || "body", problem: "must be a number within range" } : undefined;
  }

  #string(): string {
    let end = this.#at + 1;
    let escaped = false;
    while (this.#text[end] !== '"') {
      if (this.#text[end] === "\\") {
        escaped = true;
        end += 1;
      }
      end += 1;
    }
    const token = this.#take(end + 1 - this.#at);
    // A JSON string token parses to a string.
    return escaped ? (JSON.parse(token) as string) : token.slice(1, -1);
  }

  #wellFormed(text: string, field: string): Problem | undefined {
    return text.isWellFormed() ? undefined : { field: (field || "body").toWellFormed(), problem: "must be well-formed Unicode" };
  }

  #peek(): string | undefined {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "x")) this.#at += 1;
    return this.#text[this.#at];
  }

  #take(length: number): string {
    const token = this.#text.slice(this.#at, this.#at + length);
    this.#compact += token;
    this.#at += length;
    return token;
  }
}

/**
 * A fraction so close to an integer that its double is one, and would pass for it. Deeper are metadata, whose digits are
 * kept, and what providers sign.
 */
function losesFraction(token: string): boolean {
  const fraction = /^-?\d+\.(\d+)$/.exec(token)?.[1];
  return fraction !== undefined && /[1-9]/.test(fraction) && Number.isInteger(Number(token));
}

const tooDeep = (field: string): Problem => ({ field: field || "body", problem: `must nest at most ${jsonDepthMax} deep` });
const clip = (field: string) => (field.length <= fieldLengthMax ? field : `${field.slice(0, fieldLengthMax)}…`.toWellFormed());
