/**
 * The SQL that leases, processes, the change feed and the clock are made of, as the model server does it. Each statement
 * is known by how it begins; one that is not known is a change of the production code that the model has to learn.
 *
 * Read committed: a statement sees what is committed when it is done; a locking one waits, and then sees it.
 */
import type { SqlValue } from "../../../src/adapters/sql/sql-transaction.ts";
import type { Result, Work } from "./model-driver.ts";
import type { LeaseRow, LogRow, ModelServer, Session } from "./model-server.ts";

export type Done = { readonly rows: readonly object[]; readonly matched: number };
type Params = readonly SqlValue[];
/** Which row a statement locks, and what it does once it has it. */
type Statement = {
  readonly locks?: (params: Params, server: ModelServer) => string | undefined;
  readonly mode?: "shared" | undefined;
  readonly run: (server: ModelServer, session: Session, params: Params) => readonly object[] | number | "duplicate";
};

const text = (value: SqlValue | undefined): string => String(value);
const number = (value: SqlValue | undefined): number => Number(value);
const leaseKey = (name: SqlValue | undefined) => `lease ${text(name)}`;
/** A row that is not there cannot be locked. */
const lockLease = ([name]: Params, { leases }: ModelServer) => (leases.has(text(name)) ? leaseKey(name) : undefined);
const leaseRows = ({ leases }: ModelServer, name: SqlValue | undefined): readonly object[] => {
  const row = leases.get(text(name));
  return row === undefined ? [] : [{ term: row.term, holder: row.holder, until_at: row.untilMs }];
};

function updateLease(server: ModelServer, session: Session, name: string, change: (row: LeaseRow) => LeaseRow | undefined): number {
  const row = server.leases.get(name);
  const changed = row && change(row);
  if (changed === undefined) return 0;
  session.effects.push(() => void server.leases.set(name, changed));
  return 1;
}

const logRows = (rows: Iterable<LogRow>): readonly object[] =>
  [...rows].map(({ id, saleId, feed, buyers }) => ({ id, sale_id: saleId, feed, buyers })).toSorted((a, b) => a.id - b.id);
const ofSale = ({ log }: ModelServer, saleId: SqlValue | undefined): LogRow[] => [...log.values()].filter((row) => row.saleId === saleId);

// In the order of the code that they come from.
const statements: Readonly<Record<string, Statement>> = {
  "SELECT CAST(floor(unix_timestamp": { run: (server) => [{ now_ms: server.nowMs() }] },
  "SELECT term, holder, until_at FROM lease": { locks: lockLease, run: (server, _, [name]) => leaseRows(server, name) },
  "INSERT INTO lease": {
    locks: ([name]) => leaseKey(name),
    run: (server, session, [name, holder, untilMs]) => {
      if (server.leases.has(text(name))) return "duplicate";
      session.effects.push(() => void server.leases.set(text(name), { term: 1, holder: number(holder), untilMs: number(untilMs) }));
      return 1;
    },
  },
  "UPDATE lease SET term = term + 1": {
    locks: ([, , name]) => leaseKey(name),
    run: (server, session, [holder, untilMs, name]) =>
      updateLease(server, session, text(name), ({ term }) => ({ term: term + 1, holder: number(holder), untilMs: number(untilMs) })),
  },
  "UPDATE lease SET until_at = ?": {
    locks: ([, name]) => leaseKey(name),
    run: (server, session, [untilMs, name, term]) =>
      updateLease(server, session, text(name), (row) => (row.term === term ? { ...row, untilMs: number(untilMs) } : undefined)),
  },
  "UPDATE lease SET until_at = 0": {
    locks: ([name]) => leaseKey(name),
    run: (server, session, [name, term]) =>
      updateLease(server, session, text(name), (row) => (row.term === term ? { ...row, untilMs: 0 } : undefined)),
  },
  "SELECT term FROM lease": { locks: lockLease, mode: "shared", run: (server, _, [name]) => leaseRows(server, name) },
  "SELECT one FROM store": { locks: () => "store", run: () => [{ one: 1 }] },
  "SELECT number, life, name": {
    run: ({ processes }) =>
      [...processes.values()].map((row) => ({
        ...row,
        name: "",
        version: "",
        secrets: "",
        started_at: row.startedMs,
        until_at: row.untilMs,
      })),
  },
  "DELETE FROM process": {
    locks: ([own]) => `process ${text(own)}`,
    run: (server, session, [own]) => {
      const row = server.processes.get(number(own));
      if (row === undefined) return 0;
      session.effects.push(() => void server.processes.delete(row.number));
      return 1;
    },
  },
  "INSERT INTO process": {
    locks: ([own]) => `process ${text(own)}`,
    run: (server, session, params) => {
      const [own, life] = params;
      const row = {
        number: number(own),
        life: text(life),
        roles: text(params[3]),
        startedMs: number(params[6]),
        untilMs: number(params[7]),
      };
      session.effects.push(() => void server.processes.set(row.number, row));
      return 1;
    },
  },
  "UPDATE process SET until_at": {
    locks: ([, own]) => `process ${text(own)}`,
    run: (server, session, [untilMs, own, life]) => {
      const row = server.processes.get(number(own));
      if (row === undefined || row.life !== life) return 0;
      session.effects.push(() => void server.processes.set(row.number, { ...row, untilMs: number(untilMs) }));
      return 1;
    },
  },
  "SELECT coalesce(max(id), 0) AS id FROM change_log": { run: ({ log }) => [{ id: Math.max(0, ...log.keys()) }] },
  "SELECT id FROM change_log WHERE id > ?": {
    run: ({ log }, _, [after]) => logRows([...log.values()].filter(({ id }) => id > number(after))),
  },
  "SELECT id, CAST(change_log.sale_id AS TEXT) AS sale_id, feed, buyers FROM change_log WHERE id > ?": {
    run: ({ log }, _, [after]) => logRows([...log.values()].filter(({ id }) => id > number(after))),
  },
  "SELECT id, CAST(change_log.sale_id AS TEXT) AS sale_id, feed, buyers FROM change_log WHERE id IN": {
    // The list is one parameter, written out.
    run: ({ log }, _, [ids]) =>
      logRows(
        text(ids)
          .split(",")
          .flatMap((id) => log.get(Number(id)) ?? []),
      ),
  },
  "SELECT min(feed) AS feed FROM change_log": {
    run: (server, _, [saleId]) => {
      const feeds = ofSale(server, saleId).map(({ feed }) => feed);
      return [{ feed: feeds.length === 0 ? null : Math.min(...feeds) }];
    },
  },
  "SELECT buyers FROM change_log": {
    run: (server, _, [saleId, feed, until]) =>
      ofSale(server, saleId).filter((row) => row.feed > number(feed) && row.feed <= number(until) && row.buyers !== null),
  },
};

const known = new Map<string, Statement>();

function statementOf(sql: string): Statement {
  let statement = known.get(sql);
  if (statement === undefined) {
    const beginning = Object.keys(statements)
      .filter((name) => sql.startsWith(name))
      .toSorted((a, b) => b.length - a.length)[0];
    statement = beginning === undefined ? undefined : statements[beginning];
    if (statement === undefined) throw new Error(`the model server does not know "${sql}"`);
    known.set(sql, statement);
  }
  return statement;
}

export function workOf(sql: string, params: Params): Work<Done> {
  const { locks, mode = "alone", run } = statementOf(sql);
  return (server, session, done) => {
    const finish = (): Result<Done> => {
      const found = run(server, session, params);
      if (found === "duplicate") return { kind: "error", error: "duplicate" };
      const isCount = typeof found === "number";
      return { kind: "value", value: { rows: isCount ? [] : found, matched: isCount ? found : found.length } };
    };
    const key = locks?.(params, server);
    if (key === undefined) return done(finish());
    server.lock(session, [key], mode, (answer) => done(answer === "granted" ? finish() : { kind: "error", error: "conflict" }));
  };
}
