/** Who the client is, as the product hears it: what the proxy saw, and never what the client wrote. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { waitFor } from "../harness/wait.ts";
import { installedProxies, ProxyProcess, type Change, type PerProxy } from "./proxies.ts";
import { ask } from "./tls-client.ts";

afterAll(cleanUp);

const seen = "127.0.0.9";
const written = "198.51.100.7";
const forgeries: readonly Readonly<Record<string, string>>[] = [
  { "X-Forwarded-For": written },
  { "X-Forwarded-For": `${written}, ${written}` },
  { Forwarded: `for=${written}` },
  { "X-Forwarded-For": written, Forwarded: `for=${written}` },
  { "X-Real-IP": written, "X-Forwarded-Host": "elsewhere.test", Via: "1.1 elsewhere" },
  { X_Forwarded_For: written },
];

/** A server that logs clients as they are, and trusts whoever is named. */
const start = (trusted: string) =>
  ServerProcess.start({
    dataDir: tempFolder().path,
    env: { DOORBUSTER_LOG_CLIENT: "plain", ...(trusted === "" ? {} : { DOORBUSTER_TRUSTED_PROXIES: trusted }) },
  });

/** The client in the product's line about a request. */
async function clientOf(server: ServerProcess, proxy: ProxyProcess, headers: Readonly<Record<string, string>>): Promise<string> {
  const id = `r${Math.floor(performance.now() * 1_000)}`;
  expect((await ask(proxy, "/api/v1/time", { from: seen, headers: { ...headers, "X-Request-Id": id } })).status).toBe(200);
  const line = await waitFor("the request's line", () => server.log.find((text) => text.includes(`"request_id":"${id}"`)));
  return String(JSON.parse(line).client);
}

/** A proxy that passes on what came. */
const passesOn: PerProxy<readonly Change[]> = {
  nginx: [["X-Forwarded-For   $remote_addr", "X-Forwarded-For   $http_x_forwarded_for"]],
  haproxy: [
    ["http-request del-header X-Forwarded- -m beg", ""],
    ["http-request set-header X-Forwarded-For %[src]", ""],
  ],
};
/** A proxy that writes behind what came. */
const appends: PerProxy<readonly Change[]> = {
  nginx: [["X-Forwarded-For   $remote_addr", "X-Forwarded-For   $proxy_add_x_forwarded_for"]],
  haproxy: [
    ["http-request del-header X-Forwarded- -m beg", ""],
    ["http-request set-header X-Forwarded-For %[src]", "http-request add-header X-Forwarded-For %[src]"],
  ],
};

describe.each(installedProxies)("[G9] behind %s", (kind) => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await start("127.0.0.1");
  }, 30_000);
  const proxyOf = (of: ServerProcess, changes: readonly Change[] = []) =>
    ProxyProcess.start(kind, { upstreams: [new URL(of.url).host], changes });

  test("the client is who it is, whatever it writes of itself", async () => {
    const proxy = await proxyOf(server);
    for (const headers of forgeries) expect([headers, await clientOf(server, proxy, headers)]).toEqual([headers, seen]);
  });

  test("control: a proxy that passes on what came lets the client choose", async () => {
    const proxy = await proxyOf(server, passesOn[kind]);
    expect(await clientOf(server, proxy, { "X-Forwarded-For": written })).toBe(written);
  });

  test("control: so does one that appends, to a client whose address is among those trusted; and without trust all clients are one", async () => {
    const [trusting, trustless] = await Promise.all([start("127.0.0.0/8"), start("")]);
    const appending = await proxyOf(trusting, appends[kind]);
    expect(await clientOf(trusting, appending, { "X-Forwarded-For": written })).toBe(written);
    expect(await clientOf(trusting, await proxyOf(trusting), { "X-Forwarded-For": written })).toBe(seen);
    expect(await clientOf(trustless, await proxyOf(trustless), {})).toBe("127.0.0.1");
  }, 30_000);
});
