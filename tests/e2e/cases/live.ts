/** Live push on real sockets. */
import { expect, test } from "bun:test";
import { EventClient } from "../../harness/event-client.ts";
import { apiKey } from "../../harness/server-process.ts";
import { waitFor } from "../../harness/wait.ts";
import type { UnderTest } from "../server-under-test.ts";

export function liveCases({ shop, url }: UnderTest): void {
  const watch = (path: string, headers: Readonly<Record<string, string>> = {}) => new EventClient(url(), path, headers);
  const metric = async (name: string) => Number(new RegExp(`^${name} (.*)$`, "m").exec((await shop.get("/metrics")).text)?.[1]);
  const answers = (client: EventClient) => client.named("stock").map(({ data }) => data["answer"]);

  test("[H5] a sale's stock is pushed to anybody, and resumed", async () => {
    const saleId = await shop.liveSale({ stock: 1 });
    const path = `/api/v1/sales/${saleId}/events`;
    const client = watch(path);
    await waitFor("the first state", () => answers(client).length === 1);
    expect(client.head).toMatch(/^HTTP\/1\.1 200 /);
    expect(client.head.toLowerCase()).toContain("content-type: text/event-stream");
    expect(client.head.toLowerCase()).toContain("x-accel-buffering: no");
    expect(client.head.toLowerCase()).not.toContain("content-encoding");
    await shop.buy(saleId, "ann");
    await waitFor("the last unit is taken", () => answers(client).at(-1) === "all_taken");
    const again = watch(path, { "Last-Event-ID": String(client.events.at(-1)?.id) });
    await waitFor("the answer to whoever knows", () => again.body.includes(": nothing new"));
    expect(again.events).toEqual([]);
    for (const one of [client, again]) one.leave();
  });

  test("[C5] a buyer hears of its purchases by token and by ticket", async () => {
    const saleId = await shop.liveSale({ stock: 3, per_buyer_limit: 3 });
    const { data } = await shop.post("/api/v1/tokens", { body: { user_id: "live-ann" } });
    const authorization = `Bearer ${String(data["token"])}`;
    const ticket = await shop.post("/api/v1/purchases/events/ticket", { anonymous: true, headers: { authorization } });
    const cookie = String(ticket.headers.get("set-cookie")).split(";")[0] ?? "";
    const clients = [
      watch("/api/v1/purchases/events", { Authorization: authorization }),
      watch("/api/v1/purchases/events", { Cookie: cookie }),
    ];
    for (const client of clients) await waitFor("ready", () => client.named("ready").length === 1);
    const bought = await shop.buy(saleId, "live-ann");
    for (const client of clients) {
      await waitFor("the purchase", () => client.named("purchase").length === 1);
      expect(client.named("purchase")[0]?.data).toMatchObject({ id: bought.data["id"], state: "reserved" });
      client.leave();
    }
  });

  test("[LP14] 1,000 streams opened and closed leave none behind", async () => {
    const saleId = await shop.liveSale();
    for (let i = 0; i < 20; i++) {
      const clients = Array.from({ length: 50 }, () => watch(`/api/v1/sales/${saleId}/events`));
      for (const client of clients) await waitFor("its state", () => client.named("stock").length === 1, { everyMs: 5 });
      for (const client of clients) client.leave();
      await waitFor("nobody is left", async () => (await metric("doorbuster_streams_open")) === 0);
    }
  }, 60_000);

  test("[LP7] the 51st stream of one address is refused, and HEAD opens none", async () => {
    const path = `/api/v1/sales/${await shop.liveSale()}/events`;
    const clients = Array.from({ length: 50 }, () => watch(path));
    for (const client of clients) await waitFor("its state", () => client.named("stock").length === 1);
    const refused = await shop.get(path, { anonymous: true, headers: { "x-forwarded-for": "198.51.100.7" } });
    expect([refused.status, refused.reason]).toEqual([429, "too_many_streams"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(2);
    for (const client of clients) client.leave();
    await waitFor("nobody is left", async () => (await metric("doorbuster_streams_open")) === 0);
    const head = await shop.ask("HEAD", path);
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(await metric("doorbuster_streams_open")).toBe(0);
  });

  test("[H1] a request with 64 headers is served, one with more is told so", async () => {
    const ask = (count: number) => {
      const own = ["host", "connection", "x-api-key"];
      const headers = Array.from({ length: count - own.length }, (_, i) => `x-h${i}: v\r\n`).join("");
      return new EventClient(url(), "/api/v1/time", { Connection: "close", "X-API-Key": `${apiKey}\r\n${headers.trimEnd()}` });
    };
    // Accept is the client's own.
    for (const [count, status] of [
      [63, 200],
      [64, 431],
      [150, 431],
    ] as const) {
      const client = ask(count);
      await waitFor("an answer", () => client.isClosed);
      expect([count, client.status]).toEqual([count, status]);
      if (status === 431) expect(client.text).toContain("too_many_headers");
    }
  });
}
