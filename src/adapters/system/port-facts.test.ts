import { afterEach, expect, test } from "bun:test";
import { cleanUp, onCleanup } from "../../../tests/harness/cleanup.ts";
import { portFacts } from "./port-facts.ts";

afterEach(cleanUp);

function serving(answers: Readonly<Record<string, unknown>>): number {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const answer = answers[new URL(request.url).pathname];
      return answer === undefined ? new Response("no", { status: 404 }) : Response.json({ code: 0, message: "OK", data: answer });
    },
  });
  onCleanup("a server", () => void server.stop(true));
  return server.port ?? 0;
}

const health = { status: "ok", version: "0.9.0", environment: "production" };

test("[H7] a server of ours is known by its health, and its clock is compared with this machine's", async () => {
  const port = serving({ "/healthz": health, "/api/v1/time": { server_time_ms: 1_003_000 } });
  expect(await portFacts("127.0.0.1", port, () => 1_000_000)).toEqual({
    host: "127.0.0.1",
    port,
    state: { kind: "ours", version: "0.9.0", environment: "production", skewMs: 3_000 },
  });
});

test("listening on all addresses is found on this machine's own", async () => {
  const port = serving({ "/healthz": health });
  expect((await portFacts("0.0.0.0", port)).state).toEqual({
    kind: "ours",
    version: "0.9.0",
    environment: "production",
    skewMs: undefined,
  });
});

test("the operator's listener, which only says that it lives, is ours too", async () => {
  const port = serving({ "/livez": { status: "alive" } });
  expect((await portFacts("127.0.0.1", port)).state).toMatchObject({ kind: "ours", version: undefined, skewMs: undefined });
});

test("whoever answers otherwise is somebody else", async () => {
  expect((await portFacts("127.0.0.1", serving({}))).state).toEqual({ kind: "taken" });
  expect((await portFacts("127.0.0.1", serving({ "/healthz": { fine: true } }))).state).toEqual({ kind: "taken" });
});

test("a port nobody has is free, and stays so", async () => {
  expect((await portFacts("127.0.0.1", 0)).state).toEqual({ kind: "free" });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const port = server.port ?? 0;
  await server.stop(true);
  expect((await portFacts("127.0.0.1", port)).state).toEqual({ kind: "free" });
  expect((await portFacts("127.0.0.1", port)).state).toEqual({ kind: "free" });
});

test("an address that this machine has not is refused", async () => {
  expect((await portFacts("192.0.2.1", 8083)).state).toMatchObject({ kind: "refused", code: "EADDRNOTAVAIL" });
});
