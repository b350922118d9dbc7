/** Both listeners on a real socket; the one for Node runs here on Bun's node:http, and on Node in the end-to-end tests. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { openMemoryApi, shopKey, type MemoryApi } from "../../tests/harness/memory-api.ts";
import { waitFor } from "../../tests/harness/wait.ts";
import { options } from "../config/options.ts";
import { looksPerTimeout } from "../engine/open-lines.ts";
import { listen as listenBun } from "./listen-bun.ts";
import { listen as listenNode } from "./listen-node.ts";
import { idleTimeoutSeconds, type Listener, type Site } from "./listener.ts";

test("whoever waits longest hears 504 before the socket closes as idle, with any answer timeout that may be set", () => {
  const { max } = options.answerTimeoutMs.type;
  expect(max + max / looksPerTimeout).toBeLessThan(idleTimeoutSeconds * 1000);
});

let api: MemoryApi;
let listener: Listener | undefined;
beforeEach(async () => {
  api = await openMemoryApi();
});
afterEach(async () => {
  await listener?.stop(0);
  await api.close();
});

describe.each([
  ["Bun", listenBun],
  ["Node", listenNode],
] as const)("the listener on %s", (_, listen) => {
  const open = async (site: Site = api.app) => (listener = await listen(site, { host: "127.0.0.1", port: 0 }));

  test("serves the API on the port it got, and the purchase route with the same bytes", async () => {
    const { url, port } = await open();
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const { saleId } = await api.openSale({ nowMs: api.time.nowMs });
    const path = `/api/v1/sales/${saleId}/purchases`;
    const headers = { "x-api-key": shopKey, "x-user-id": "ann", "idempotency-key": "k", "content-type": "application/json" };
    const bought = await fetch(url + path, { method: "POST", headers, body: '{"quantity":1}' });
    expect(bought.status).toBe(201);
    expect((await api.ask("POST", path, { key: shopKey, userId: "ann", idempotencyKey: "k" })).text).toBe(await bought.text());
    expect((await fetch(url + path)).status).toBe(405);
  });

  test("a port that somebody serves on is refused, not shared: two stores behind one address would answer in turns", async () => {
    const { port } = await open();
    await expect(listen(api.app, { host: "127.0.0.1", port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test.each([
    ["a balancer's probe in HTTP/1.0", "GET /livez?by=probe HTTP/1.0\r\n\r\n"],
    ["an empty one", "GET /livez?by=probe HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n"],
  ])("a request without a host reaches its path: %s", async (_, bytes) => {
    const urls: string[] = [];
    const { port } = await open({ fetch: (request) => (urls.push(request.url), new Response("found")) });
    expect(await sendRaw(port, bytes)).toEndWith("found");
    expect(urls).toEqual(["http://unnamed.invalid/livez?by=probe"]);
  });

  test.each(["[::1", "%", "a:99999", "a b/c?d", ":80"])(
    "a host that cannot be one is refused before anybody reads it: %s",
    async (host) => {
      const seen: string[] = [];
      const { port } = await open({ fetch: (request) => (seen.push(request.url), new Response("")) });
      expect(await sendRaw(port, `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).toStartWith("HTTP/1.1 400 ");
      expect(seen).toEqual([]);
    },
  );

  test("tells the site who is at the other end", async () => {
    const peers: string[] = [];
    const { url } = await open({ fetch: (_request, peer) => (peers.push(peer.address), new Response("")) });
    await fetch(url);
    expect(peers[0]).toMatch(/^(::ffff:)?127\.0\.0\.1$/);
  });

  test("has no purchase route unless the site has one", async () => {
    const { url } = await open({ fetch: api.app.adminFetch });
    expect((await fetch(`${url}/api/v1/sales/1/purchases`, { method: "POST" })).status).toBe(404);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  });

  test("stopping lets the answers in flight out, tells clients to leave, and closes", async () => {
    const gates: (() => void)[] = [];
    const site: Site = { fetch: async () => (await new Promise<void>((go) => void gates.push(go)), new Response("late")) };
    const { url, stop } = await open(site);
    const answer = fetch(url);
    await waitFor("the request has arrived", () => gates.length === 1);
    const stopped = stop(5_000);
    gates[0]?.();
    const response = await answer;
    expect([response.headers.get("connection"), await response.text()]).toEqual(["close", "late"]);
    await stopped;
    await expect(fetch(url)).rejects.toThrow();
  });

  test("stopping does not wait for ever", async () => {
    let arrived = false;
    const { url, stop } = await open({ fetch: () => ((arrived = true), new Promise(() => {})) });
    const answer = fetch(url).catch(() => "cut");
    await waitFor("the request has arrived", () => arrived);
    await stop(20);
    expect(await answer).toBe("cut");
  });
});

function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let told = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => (told += chunk.toString()));
    socket.on("close", () => resolve(told));
    socket.on("error", reject);
  });
}
