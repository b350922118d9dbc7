/** The worker's end: answers each request of its parent, in order. */
import { parentPort } from "node:worker_threads";
import { assert } from "../../lib/assert.ts";
import { WorkerFailure, type WireFailure, type WireReply, type WireRequest } from "./worker-protocol.ts";

export function servePort(handle: (operation: string, payload: unknown) => unknown): void {
  const port = parentPort;
  assert(port !== null, "this module runs as a worker");
  const answer = async (text: string): Promise<void> => {
    // What worker-client.ts sends.
    const [number, operation, payload] = JSON.parse(text) as WireRequest;
    let reply: WireReply;
    try {
      reply = [number, (await handle(operation, payload)) ?? null];
    } catch (error) {
      reply = [number, null, failureOf(error)];
    }
    port.postMessage(JSON.stringify(reply));
  };
  port.on("message", (text: string) => void answer(text));
}

function failureOf(error: unknown): WireFailure {
  if (error instanceof WorkerFailure) return { code: error.code, message: error.message };
  const isSqlite = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_");
  return { code: isSqlite ? "unavailable" : "defect", message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}
