/** The thread that reads. A read that fails throws its connection away; the next one opens another. */
import { workerData } from "node:worker_threads";
import { accountReaders, type AccountReaders } from "./account-readers.ts";
import { exportReaders, type ExportReaders } from "./export-readers.ts";
import { recordReaders, type RecordReaders } from "./read-records.ts";
import { servePort } from "./serve-port.ts";
import { openReadOnly, SqliteConnection } from "./sqlite-connection.ts";
import { WorkerFailure, type WorkerStart } from "./worker-protocol.ts";

// What worker-client.ts gives.
const { dataDir } = workerData as WorkerStart;
let connection: SqliteConnection | undefined;
let readers: (RecordReaders & AccountReaders & ExportReaders) | undefined;

function handle(operation: string, payload: unknown): unknown {
  if (operation === "close") return close();
  connection ??= new SqliteConnection(openReadOnly(dataDir));
  readers ??= { ...recordReaders(connection), ...accountReaders(connection), ...exportReaders(connection) };
  // The names and arguments that sqlite-records.ts and its siblings send, which the compiler has checked there.
  const read = (readers as Readonly<Record<string, (...args: unknown[]) => unknown>>)[operation];
  if (read === undefined) throw new WorkerFailure({ code: "defect", message: `The reader knows no "${operation}"` });
  try {
    // The arguments, as those list them.
    return read(...(payload as unknown[]));
  } catch (error) {
    close();
    throw error;
  }
}

function close(): void {
  const old = connection;
  connection = undefined;
  readers = undefined;
  old?.close();
}

servePort(handle);
