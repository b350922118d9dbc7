/** Whether the server can listen on a port, or already does. Asks before it binds, so as not to stand in a running server's way. */
import { connect, createServer } from "node:net";
import type { PortFacts } from "../../ports/machine-facts.ts";

const connectMaxMs = 1_000;
const answerMaxMs = 2_000;
const bodyBytesMax = 16_384;

export async function portFacts(host: string, port: number, nowMs: () => number = Date.now): Promise<PortFacts> {
  // Somebody may well answer at an address that is another machine's.
  const elsewhere = await listenProblem(host, 0);
  if (elsewhere !== undefined) return { host, port, state: { kind: "refused", code: elsewhere } };
  if (port !== 0 && (await isAnswered(reachable(host), port))) return { host, port, state: await whoAnswers(reachable(host), port, nowMs) };
  const code = await listenProblem(host, port);
  if (code === undefined) return { host, port, state: { kind: "free" } };
  // Somebody listens who takes no connections, or has begun to since.
  return { host, port, state: code === "EADDRINUSE" ? { kind: "taken" } : { kind: "refused", code } };
}

/** Where a server that listens on all addresses is found. */
const reachable = (host: string) => (host === "0.0.0.0" ? "127.0.0.1" : host === "::" || host === "[::]" ? "::1" : host);

function isAnswered(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMaxMs });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket
      .once("connect", () => end(true))
      .once("timeout", () => end(false))
      .once("error", () => end(false));
  });
}

function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function whoAnswers(host: string, port: number, nowMs: () => number): Promise<PortFacts["state"]> {
  const url = `http://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
  const health = (await dataOf(`${url}/healthz`)) ?? (await dataOf(`${url}/livez`));
  if (health === undefined || typeof health["status"] !== "string") return { kind: "taken" };
  const [version, environment] = [health["version"], health["environment"]];
  const askedMs = nowMs();
  const time = (await dataOf(`${url}/api/v1/time`))?.["server_time_ms"];
  const answeredMs = nowMs();
  return {
    kind: "ours",
    version: typeof version === "string" ? version : undefined,
    environment: typeof environment === "string" ? environment : undefined,
    skewMs: typeof time === "number" ? time - (askedMs + answeredMs) / 2 : undefined,
  };
}

/** The data of our envelope; undefined from anybody else. */
async function dataOf(url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMaxMs), redirect: "error" });
    const text = await response.text();
    const body: unknown = text.length > bodyBytesMax ? undefined : JSON.parse(text);
    if (!isRecord(body) || body["code"] !== 0 || !isRecord(body["data"])) return undefined;
    return body["data"];
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
