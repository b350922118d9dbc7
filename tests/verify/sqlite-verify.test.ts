import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import Database from "better-sqlite3";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditSource } from "../../src/adapters/sql/audit-source.ts";
import { databaseName } from "../../src/adapters/sql/sqlite-connection.ts";
import { openSqliteStore } from "../../src/adapters/sql/sqlite-store.ts";
import { newProgram, runProgram, type CliDeps } from "../../src/cli/program.ts";
import { registerVerify } from "../../src/cli/verify.ts";
import type { Config } from "../../src/config/options.ts";
import { formatHistoryEvent } from "../../src/domain/history.ts";
import type { CheckId } from "../../src/engine/verify/check.ts";
import type { VerifyReport } from "../../src/engine/verify/verify.ts";
import { GoodRun, type Traces } from "./good-run.ts";

const folder = mkdtempSync(join(tmpdir(), "doorbuster-verify-"));
const goodDir = join(folder, "good");
const historyFile = join(folder, "history.jsonl");
const providerFile = join(folder, "provider.jsonl");
const evidence = ["--at-rest", "--history", historyFile, "--provider", providerFile, "--min-accepts", "0", "--min-unknowns", "0"];
let traces: Traces;

/** A run over a real store depends on its timing, so one is taken that has something of everything to corrupt. */
beforeAll(async () => {
  for (let seed = 1; ; seed++) {
    const dataDir = join(folder, `seed-${seed}`);
    const store = await openSqliteStore({ dataDir });
    traces = await new GoodRun(seed, store).run(150, { sweep: true });
    await store.close();
    if (!hasAll(dataDir) && seed < 20) continue;
    cpSync(dataDir, goodDir, { recursive: true });
    break;
  }
  writeFileSync(historyFile, traces.history.map((event) => `${formatHistoryEvent(event)}\n`).join(""));
  writeFileSync(providerFile, traces.provider.map((line) => `${JSON.stringify(line)}\n`).join(""));
}, 60_000);

/** Rows that corruptions name. */
const paid = "(SELECT id FROM purchase WHERE state = 'paid' AND refunded = 0 LIMIT 1)";
const expired = "(SELECT id FROM purchase WHERE state = 'expired' LIMIT 1)";
const kept = "(SELECT id FROM capture WHERE kept = 1 LIMIT 1)";
const returned = "(SELECT id FROM capture WHERE kept = 0 LIMIT 1)";
const misnamed = "(SELECT id FROM refund WHERE reason <> 'second_capture' LIMIT 1)";
const quotaUsed = "(SELECT p.id FROM purchase p JOIN sale_quota q ON q.sale_id = p.sale_id AND q.buyer_id = p.buyer_id LIMIT 1)";

function hasAll(dataDir: string): boolean {
  const database = new Database(join(dataDir, databaseName), { readonly: true });
  const found = [paid, expired, kept, returned, misnamed, quotaUsed].map((row) => database.prepare(`SELECT ${row}`).pluck().get());
  database.close();
  return !found.includes(null);
}
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command as the program runs it, but for the process around it. */
async function run(dataDir: string, ...args: string[]) {
  let [out, err] = ["", ""];
  const console = { out: (text: string) => (out += text), err: (text: string) => (err += text), isTerminal: false };
  // The command reads nothing else of the configuration.
  const deps: CliDeps = { console, config: () => ({ dataDir }) as Config, version: "0" };
  const program = newProgram(deps);
  registerVerify(program, {
    ...deps,
    openAuditSource: async (config) => openAuditSource(config.dataDir),
    reopenDelayMs: () => 0,
    sharedProviderLines: async () => undefined,
    nowMs: () => traces.nowMs,
    colour: false,
    openQueueAudit: () => Promise.resolve(undefined),
    providerJournal: "simulated-provider.jsonl",
  });
  const code = await runProgram(program, deps, ["verify", ...args]);
  return { code, out, err };
}

async function judged(dataDir: string, ...args: string[]) {
  const { code, out } = await run(dataDir, "--json", ...args);
  // What the command prints with --json is its report.
  return { code, report: JSON.parse(out) as VerifyReport };
}

test("a good store and its records are valid, exit 0", async () => {
  const { code, report } = await judged(goodDir, ...evidence);
  expect(report.checks.flatMap(({ off }) => off)).toEqual([]);
  expect(report.verdict).toBe("valid");
  expect(code).toBe(0);
  const unchecked = report.checks.filter(({ checked }) => checked === 0).map(({ id }) => id);
  expect(unchecked).toEqual(["I10"]);
});

test("a record with too few accepts proves nothing: unknown, exit 0", async () => {
  const { code, report } = await judged(goodDir, "--history", historyFile);
  expect(report.verdict).toBe("unknown");
  expect(code).toBe(0);
});

/** A purchase table without its constraints, as no bug of ours but a restored dump could leave it. */
const unbound = "CREATE TABLE loose AS SELECT * FROM purchase; DROP TABLE purchase; ALTER TABLE loose RENAME TO purchase;";

describe("each corruption of a real database is flagged, exit 1", () => {
  const cases: readonly [check: CheckId, what: string, sql: string][] = [
    ["I2", "a held unit made free", "UPDATE sale SET held = held + 1, available = available - 1 WHERE available > 0"],
    ["I2", "a unit invented in the sale", "UPDATE sale SET issued = issued + 1, available = available + 1"],
    ["I1", "a balance below zero", "UPDATE sale SET available = available - 1000, sold = sold + 1000"],
    ["I2", "a take that takes more", `UPDATE ledger SET units = units + 1 WHERE kind = 'take' AND source_id = ${paid}`],
    ["I7", "a lost take", `DELETE FROM ledger WHERE kind = 'take' AND source_id = ${paid}`],
    ["I5", "a lost payment entry", `DELETE FROM ledger WHERE kind = 'pay' AND source_id = ${paid}`],
    ["I4", "a take of nobody", "INSERT INTO ledger (sale_id, source_id, kind, units, buyer_limit, at_ms) VALUES (100, 5, 'take', 1, 2, 1)"],
    ["I3", "a limit raised afterwards", `UPDATE ledger SET buyer_limit = 9 WHERE kind = 'take' AND source_id = ${paid}`],
    ["I3", "a limit raised in the row", `UPDATE purchase SET buyer_limit = 9 WHERE id = ${paid}`],
    ["I3", "a quota lowered", "UPDATE sale_quota SET units = 1"],
    ["I4", "a lost purchase", `DELETE FROM purchase WHERE id = ${expired}`],
    ["C2", "a lost purchase that a client was told of", `DELETE FROM purchase WHERE id = ${paid}`],
    ["I2", "a purchase of more units", `UPDATE purchase SET quantity = quantity + 1, buyer_limit = 9 WHERE id = ${expired}`],
    ["I5", "an expired order revived", `UPDATE purchase SET state = 'reserved' WHERE id = ${expired}`],
    ["I9", "an order paid by nobody", `UPDATE purchase SET state = 'paid' WHERE id = ${expired}`],
    ["I5", "a state that does not exist", `UPDATE purchase SET state = 'lost' WHERE id = ${expired}`],
    ["I5", "a miscounted sale", "UPDATE sale SET paid_count = paid_count + 1"],
    ["I5", "miscounted buyers", "UPDATE sale SET buyer_count = buyer_count + 1"],
    ["I11", "a shortened hold", `UPDATE purchase SET hold_until = hold_until - 1 WHERE id = ${expired}`],
    ["I11", "a hold moved too far", `UPDATE purchase SET hold_until = hold_until + 200000 WHERE id = ${expired}`],
    ["I11", "a hold extended without a count", `UPDATE purchase SET hold_until = hold_until + 60000 WHERE id = ${expired}`],
    [
      "I11",
      "more extensions than the sale gives",
      `UPDATE purchase SET extensions = extensions + 3, hold_until = hold_until + 180000 WHERE id = ${paid}`,
    ],
    [
      "I11",
      "an expiry before its deadline",
      `UPDATE ledger SET at_ms = (SELECT hold_until - 1 FROM purchase WHERE id = ${expired}) WHERE kind = 'expire' AND source_id = ${expired};
       UPDATE purchase SET changed_at = hold_until - 1 WHERE id = ${expired}`,
    ],
    ["I8", "one key for two purchases", `${unbound} UPDATE purchase SET idempotency_key = 'same', buyer_id = 1, sale_id = 100`],
    ["C4", "a purchase of somebody who never asked", `UPDATE purchase SET buyer_id = 77 WHERE id = ${paid}`],
    ["C4", "a purchase under a key never sent", `UPDATE purchase SET idempotency_key = 'made up' WHERE id = ${paid}`],
    ["I9", "a capture kept by nobody", `UPDATE capture SET kept = 0 WHERE id = ${kept}`],
    [
      "I9",
      "a capture kept twice",
      `DROP INDEX capture_kept_once;
       INSERT INTO capture SELECT 'again', payment_id, purchase_id, sale_id, amount_minor, currency, kept, at_ms FROM capture WHERE id = ${kept}`,
    ],
    ["I9", "a lost capture", `DELETE FROM capture WHERE id = ${kept}`],
    ["I9", "a capture of another amount", `UPDATE capture SET amount_minor = amount_minor + 1 WHERE id = ${kept}`],
    ["I9", "a refund never made", `DELETE FROM refund WHERE capture_id = ${returned}`],
    ["I9", "a refund in part", `UPDATE refund SET amount_minor = amount_minor - 1 WHERE capture_id = ${returned}`],
    ["I9", "a refund under the wrong name", `UPDATE refund SET reason = 'second_capture' WHERE id = ${misnamed}`],
    ["I9", "a payment of another order", `UPDATE payment SET purchase_id = ${expired} WHERE id IN (SELECT payment_id FROM capture)`],
    ["C9", "a lost payment", "DELETE FROM payment"],
    ["I7", "a sale that is gone", "DELETE FROM sale WHERE id = 100"],
    ["I2", "a ledger emptied", "DELETE FROM ledger"],
  ];
  test.each(cases)("[%s] %s", async (check, _what, sql) => {
    const { code, report } = await judged(corrupted(sql), ...evidence);
    expect(report.checks.find(({ id }) => id === check)?.verdict).toBe("invalid");
    expect(report.verdict).toBe("invalid");
    expect(code).toBe(1);
  });

  let copies = 0;
  function corrupted(sql: string): string {
    const dataDir = join(folder, `copy-${copies++}`);
    mkdirSync(dataDir);
    cpSync(join(goodDir, databaseName), join(dataDir, databaseName));
    const database = new Database(join(dataDir, databaseName));
    database.pragma("foreign_keys = OFF");
    database.pragma("ignore_check_constraints = ON");
    const before = database.prepare<[], number>("SELECT total_changes()").pluck().get() ?? 0;
    database.exec(sql);
    const after = database.prepare<[], number>("SELECT total_changes()").pluck().get() ?? 0;
    database.close();
    expect(after).toBeGreaterThan(before);
    return dataDir;
  }

  test("people get a table with each row that is off", async () => {
    const { code, out, err } = await run(corrupted(`UPDATE purchase SET hold_until = hold_until - 1 WHERE id = ${expired}`));
    expect(code).toBe(1);
    expect(out).toMatch(/^OFF {2}I11 .* 1 off$/m);
    expect(out).toMatch(/^ {7}purchase \d+: is held until/m);
    expect(out).toContain("invalid: I11 broken");
    expect(out).not.toContain("\u001B");
    expect(err).toBe("doorbuster: the store breaks I11\n");
  });
});

describe("a store or record that cannot be read, exit 2", () => {
  test("no folder", async () => {
    const { code, err, out } = await run(join(folder, "nowhere"));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Open the store in");
  });

  test("no database", async () => {
    const dataDir = join(folder, "garbage");
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, databaseName), "not a database, however long one looks at it".repeat(100));
    expect((await run(dataDir)).code).toBe(2);
  });

  test.each([
    ["not JSON", "nonsense}\n", "line 1: a line is one JSON object"],
    ["an unknown field", '{"i":0,"t":0,"proc":"p","attempt":"a","f":"get","type":"invoke","user":"u","colour":1}\n', '"colour"'],
    [
      "a completion of nothing",
      '{"i":0,"t":0,"proc":"p","attempt":"a","f":"get","type":"fail","user":"u","code":404}\n',
      "without an open invoke",
    ],
  ])("a record with %s", async (_what, text, message) => {
    const file = join(folder, "bad.jsonl");
    writeFileSync(file, text);
    const { code, err } = await run(goodDir, "--history", file);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test("a wrong option", async () => {
    expect((await run(goodDir, "--rows", "-1")).code).toBe(2);
    expect((await run(goodDir, "--history", join(folder, "absent.jsonl"))).code).toBe(2);
  });
});

test("a record whose last line was cut off is used without it", async () => {
  const file = join(folder, "torn.jsonl");
  const whole = traces.history.map((event) => formatHistoryEvent(event)).join("\n");
  writeFileSync(file, `${whole}\n{"i":99999,"t":`);
  const { code, report } = await judged(goodDir, "--history", file, "--min-accepts", "0", "--min-unknowns", "0");
  expect(code).toBe(0);
  expect(report.checks.find(({ id }) => id === "V")?.note).toContain("1 torn last lines dropped");
});

test("[I2] a snapshot of a store that is being written is whole", async () => {
  const dataDir = join(folder, "live");
  const store = await openSqliteStore({ dataDir });
  try {
    let writing = true;
    const run = new GoodRun(9, store).run(60).finally(() => (writing = false));
    let snapshots = 0;
    while (writing) {
      const { report } = await judged(dataDir);
      expect(report.checks.flatMap(({ off }) => off)).toEqual([]);
      snapshots += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await run;
    expect(snapshots).toBeGreaterThan(1);
  } finally {
    await store.close();
  }
}, 30_000);
