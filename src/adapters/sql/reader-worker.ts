/** The thread that reads. A read that fails throws its connection away; the next one opens another. */
import { workerData } from "node:worker_threads";
import { accountReaders } from "./account-readers.ts";
import { exportReaders } from "./export-readers.ts";
import { recordReaders } from "./read-records.ts";
import { servePort } from "./serve-port.ts";
import { openReadOnly, SqliteConnection } from "./sqlite-connection.ts";
import { WorkerFailure, type WorkerStart } from "./worker-protocol.ts";

// What worker-client.ts gives.
const { dataDir } = workerData as WorkerStart;
let connection: SqliteConnection | undefined;
/** By the ports' own names. */
let readers: Readonly<Record<string, (...args: never[]) => Promise<unknown>>> | undefined;

async function handle(operation: string, payload: unknown): Promise<unknown> {
  if (operation === "close") return close();
  connection ??= new SqliteConnection(openReadOnly(dataDir));
  readers ??= { ...recordReaders(connection), ...accountReaders(connection), ...exportReaders(connection) };
  const read = readers[operation];
  if (read === undefined) throw new WorkerFailure({ code: "defect", message: `The reader knows no "${operation}"` });
  try {
    // The arguments that sqlite-records.ts and its siblings list, which the compiler has checked there.
    return await read(...(payload as never[]));
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
