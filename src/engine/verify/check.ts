/**
 * What a check found. Three-valued: a check that had nothing to look at proves nothing and says `unknown`, with why.
 * Rows that are off are all counted; only the first few of each check are kept.
 */
export type Verdict = "valid" | "invalid" | "unknown";

export type Finding = {
  /** Where to look: "purchase 123", "ledger row 17". */
  readonly row: string;
  readonly problem: string;
};

export type CheckResult = {
  readonly id: CheckId;
  readonly title: string;
  readonly verdict: Verdict;
  /** How many of `unit` were looked at. */
  readonly checked: number;
  readonly unit: string;
  /** Why the verdict is `unknown`, or what else a reader should know. */
  readonly note?: string | undefined;
  readonly offTotal: number;
  readonly off: readonly Finding[];
};

export const checkTitles = {
  I1: ["no balance below zero, nothing sold twice, at every step", "ledger rows"],
  I2: ["units conserved at every step; the ledger's end is what is stored", "ledger rows"],
  I3: ["no buyer above the limit in force at each acceptance", "takes"],
  I4: ["what was accepted still exists", "accepted ids"],
  I5: ["every acceptance has one state, with exactly the entries it needs", "purchases"],
  I6: ["no reservation revoked for stock", "purchases"],
  I7: ["every order comes from an attempt that could be accepted", "purchases"],
  I8: ["one key, one purchase; one callback, one effect", "keys and callbacks"],
  I9: ["every capture kept once or refunded in full", "money rows"],
  I10: ["the cache equals the ledger at rest", "cache entries"],
  I11: ["no hold released before its deadline or moved too far", "holds"],
  I12: ["nothing accepted becomes unknown; states never move backwards", "reads"],
  I13: ["free inventory is what its entries say, and they match the sales' ledgers", "inventory and adjustment rows"],
  C1: ["ledger replay (I1, I2)", "ledger rows"],
  C2: ["accepts stay", "accepted ids"],
  C3: ["accepted once, and ended", "accepted ids"],
  C4: ["nothing unasked", "purchases"],
  C5: ["limits along the ledger (I3)", "takes"],
  C6: ["one key, one effect, one body", "keys"],
  C7: ["no accept after sold out unless units came back", "refusals for stock"],
  C9: ["money (I9), and started payments stay", "payments"],
  C11: ["reads never show the past", "reads"],
  V: ["the record is large enough to prove something", "attempts"],
} as const satisfies Record<string, readonly [string, string]>;
export type CheckId = keyof typeof checkTitles;

export const findingsMaxDefault = 20;

export class Check {
  readonly id: CheckId;
  readonly #offMax: number;
  readonly #off: Finding[] = [];
  #checked = 0;
  #offTotal = 0;
  #note: string | undefined;
  #doubtful = false;

  constructor(id: CheckId, offMax: number) {
    this.id = id;
    this.#offMax = offMax;
  }

  count(rows = 1): void {
    this.#checked += rows;
  }

  get checked(): number {
    return this.#checked;
  }

  get offTotal(): number {
    return this.#offTotal;
  }

  off(row: string, problem: string): void {
    this.#offTotal += 1;
    if (this.#off.length < this.#offMax) this.#off.push({ row, problem });
  }

  /** Notes that `condition` must hold for a row. The problem is put in words only when it does not. */
  expect(condition: boolean, row: () => string, problem: () => string): void {
    if (!condition) this.off(row(), problem());
  }

  note(text: string): void {
    this.#note = this.#note === undefined ? text : `${this.#note}; ${text}`;
  }

  /** Whatever it saw proves too little. */
  doubt(why: string): void {
    this.#doubtful = true;
    this.note(why);
  }

  /** Says the same as others do, without repeating their rows. */
  echo(others: readonly Check[]): void {
    for (const other of others) this.#offTotal += other.offTotal;
    this.#checked = Math.max(this.#checked, ...others.map((other) => other.checked));
    const broken = others.filter((other) => other.offTotal > 0).map((other) => other.id);
    if (broken.length > 0) this.note(`see ${broken.join(", ")}`);
  }

  result(): CheckResult {
    const [title, unit] = checkTitles[this.id];
    const verdict = this.#offTotal > 0 ? "invalid" : this.#checked === 0 || this.#doubtful ? "unknown" : "valid";
    const note = this.#note ?? (verdict === "unknown" ? `no ${unit} to check` : undefined);
    return { id: this.id, title, verdict, checked: this.#checked, unit, note, offTotal: this.#offTotal, off: this.#off };
  }
}

/** All checks of one run, made on first use so that a run without a record has no C rows. */
export class Checks {
  readonly #offMax: number;
  readonly #checks = new Map<CheckId, Check>();

  constructor(offMax: number) {
    this.#offMax = offMax;
  }

  of(id: CheckId): Check {
    let check = this.#checks.get(id);
    if (check === undefined) this.#checks.set(id, (check = new Check(id, this.#offMax)));
    return check;
  }

  results(): CheckResult[] {
    // Object.keys keeps the order in which the table lists them.
    return Object.keys(checkTitles).flatMap((id) => this.#checks.get(id as CheckId)?.result() ?? []);
  }
}

/** One broken check breaks the run; a record too small to prove anything makes it doubtful; so does having checked nothing. */
export function verdictOf(results: readonly CheckResult[]): Verdict {
  if (results.some((result) => result.verdict === "invalid")) return "invalid";
  if (results.some((result) => result.id === "V" && result.verdict === "unknown")) return "unknown";
  return results.some((result) => result.verdict === "valid") ? "valid" : "unknown";
}
