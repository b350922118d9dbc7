/** No bad callback moves money or stock; a good one moves it once, however often it comes. */
import { afterAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { WebhookVerifier } from "../../src/adapters/payment/webhook-signature.ts";
import type { CallbackVerifier } from "../../src/ports/callback-verifier.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { openMemoryApi, shopKey, webhookSecret, type MemoryApi } from "../harness/memory-api.ts";
import { callbackSecret, ServerProcess } from "../harness/server-process.ts";
import { idOf, Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { sendRaw } from "../e2e/raw-socket.ts";
import { badCallbacks, signedHeaders, type BadCallback } from "./bad-callbacks.ts";

afterAll(cleanUp);

const path = "/api/v1/payments/callback/simulated";
const capture = (paymentId: string, change: Record<string, unknown> = {}) =>
  JSON.stringify({
    type: "payment.captured",
    data: { payment_id: paymentId, capture_id: `cap-${paymentId}`, amount_minor: 9900, currency: "CNY", ...change },
  });

/** An order that waits for its payment, and whose provider says nothing by itself. */
async function openPaying(verifier?: CallbackVerifier) {
  const api = await openMemoryApi(verifier === undefined ? {} : { callbackVerifiers: new Map([["simulated", verifier]]) });
  const { saleId } = await api.openSale({ nowMs: api.time.nowMs, per_buyer_limit: 5 });
  const order = await api.ask("POST", `/api/v1/sales/${saleId}/purchases`, { key: shopKey, userId: "ann", json: { quantity: 1 } });
  const orderId = String(order.data["id"]);
  const payment = await api.ask("POST", `/api/v1/orders/${orderId}/payments`, {
    key: shopKey,
    userId: "ann",
    json: { scenario: "abandon" },
  });
  expect(payment.status).toBe(201);
  const body = capture(String(payment.data["id"]));
  return { api, saleId, orderId, body, forge: { secret: webhookSecret, nowMs: api.time.nowMs, body } };
}

async function post(api: MemoryApi, { headers, body }: Pick<BadCallback, "headers" | "body">): Promise<number> {
  const all = new Headers();
  for (const [name, value] of headers) all.append(name, value);
  const raw = typeof body === "string" ? body : new Uint8Array(body);
  return (await api.ask("POST", path, { raw, headers: Object.fromEntries(all) })).status;
}

/** Money, stock and everything else that a callback could have moved. */
const state = (api: MemoryApi) =>
  JSON.stringify(
    Object.entries(api.store.tables).map(([name, table]) => [
      name,
      Symbol.iterator in Object(table) ? [...(table as Iterable<unknown>)] : table,
    ]),
  );

/** Names of those that had an effect or were taken. */
async function applied(api: MemoryApi, corpus: readonly BadCallback[]): Promise<string[]> {
  const names: string[] = [];
  for (const bad of corpus) {
    const before = state(api);
    const status = await post(api, bad);
    if (status < 400 || status >= 500 || state(api) !== before) names.push(bad.name);
  }
  return names;
}

const paying = await openPaying();
const corpus = badCallbacks(paying.forge);
afterAll(() => paying.api.close());

test(`[HO2] the corpus has ${corpus.length} bad callbacks (at least 64), each with a name of its own and a hope`, () => {
  expect(corpus.length).toBeGreaterThanOrEqual(64);
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
});

test(`[HO2] 0 of ${corpus.length} bad callbacks have an effect, and the good one then has`, async () => {
  const { api, orderId, forge, body } = paying;
  expect(await applied(api, corpus)).toEqual([]);
  expect(await post(api, { headers: signedHeaders(forge), body })).toBe(200);
  expect((await api.shop("GET", `/api/v1/orders/${orderId}`)).data["state"]).toBe("paid");
});

test("[HO2] 1,000 replays of a good callback, one after another and at once: one effect", async () => {
  const { api, orderId, forge, body } = await openPaying();
  const good = { headers: signedHeaders(forge), body };
  expect(await post(api, good)).toBe(200);
  const after = state(api);
  for (let i = 0; i < 500; i++) expect(await post(api, good)).toBe(200);
  expect((await Promise.all(Array.from({ length: 500 }, () => post(api, good)))).every((status) => status === 200)).toBe(true);
  expect(state(api)).toBe(after);
  const { data } = await api.shop("GET", `/api/v1/orders/${orderId}`);
  expect([data["state"], data["refunds"]]).toEqual(["paid", []]);
  await api.close();
});

test("[HO2] the same capture under 200 new ids is known by the capture: one effect", async () => {
  const { api, orderId, forge, body } = await openPaying();
  for (let i = 0; i < 200; i++) expect(await post(api, { headers: signedHeaders(forge, `msg_${i}`), body })).toBe(200);
  const { data } = await api.shop("GET", `/api/v1/orders/${orderId}`);
  expect([data["state"], data["refunds"]]).toEqual(["paid", []]);
  await api.close();
});

test("[HO2] a wrong amount rightly signed is money's business, not the signature's: taken down, kept by no order, sent back", async () => {
  const { api, orderId, forge } = await openPaying();
  const paymentId = String(JSON.parse(forge.body).data.payment_id);
  for (const [i, change] of [{ amount_minor: 1 }, { amount_minor: 9_901 }, { currency: "JPY" }].entries()) {
    const body = capture(paymentId, { ...change, capture_id: `odd-${i}` });
    expect(await post(api, { headers: signedHeaders({ ...forge, body }, `odd_${i}`), body })).toBe(200);
  }
  const { data } = await api.shop("GET", `/api/v1/orders/${orderId}`);
  expect(data["state"]).toBe("reserved");
  expect((data["refunds"] as unknown[]).length).toBe(3);
  await api.close();
});

/** A checker as others have it, without one of the rules. */
function laxVerifier(skipped: "time" | "form" | "body" | "signature"): CallbackVerifier {
  const strict = new WebhookVerifier([webhookSecret]);
  return {
    verify(message, nowMs) {
      const { id, timestamp, signature, body } = message;
      if (skipped === "signature" && id !== null) return { kind: "verified", id };
      if (skipped === "time") {
        const claimedMs = Number(timestamp) * 1000;
        return strict.verify(message, Number.isFinite(claimedMs) && claimedMs > 0 ? claimedMs : nowMs);
      }
      if (id === null || signature === null || timestamp === null) return { kind: "rejected", problem: "missing" };
      const text = Buffer.from(body).toString();
      const signed = skipped === "body" ? JSON.stringify(safeParse(text)) : text;
      const right = createHmac("sha256", webhookSecret).update(`${id}.${timestamp}.${signed}`).digest("base64");
      return signature.includes(right) && Math.abs(Number.parseFloat(timestamp) * 1000 - nowMs) <= 300_000
        ? { kind: "verified", id }
        : { kind: "rejected", problem: "lax" };
    },
  };
}
function safeParse(text: string): unknown {
  try {
    return JSON.parse(text.trim());
  } catch {
    return undefined;
  }
}

describe("controls: a checker that leaves out one rule lets some have an effect", () => {
  for (const [skipped, example] of [
    ["time", "a day old"],
    ["form", "a dot in the id"],
    ["body", "body: a space more"],
    ["signature", "another secret"],
  ] as const)
    test(`[HO2] without a look at ${skipped}`, async () => {
      const lax = await openPaying(laxVerifier(skipped));
      expect(await applied(lax.api, badCallbacks(lax.forge))).toContain(example);
      await lax.api.close();
    });
});

describe("through the socket", () => {
  test("[HO2] 0 of the bad callbacks as raw bytes, headers twice and all; then 1,000 replays of the good one: sold once", async () => {
    const server = await ServerProcess.start({ dataDir: tempFolder().path });
    const shop = new Shop(() => server.url);
    const saleId = await shop.liveSale({ stock: 10 });
    const orderId = idOf(await shop.buy(saleId, "ann"));
    const paymentId = idOf(await shop.post(`/api/v1/orders/${orderId}/payments`, { buyer: "ann", body: { scenario: "abandon" } }));
    const body = capture(paymentId);
    const forge = { secret: Buffer.from(callbackSecret.slice("whsec_".length), "base64"), nowMs: Date.now(), body };
    const send = ({ headers, body: sent }: Pick<BadCallback, "headers" | "body">) => {
      const bytes = Buffer.from(sent);
      const lines = [
        ...headers.map(([name, value]) => `${name}: ${value}`),
        "Content-Type: application/json",
        `Content-Length: ${bytes.length}`,
      ];
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join("\r\n")}\r\n\r\n`;
      return sendRaw(server.url, [Buffer.concat([Buffer.from(head, "utf8"), bytes])]);
    };
    const bad = badCallbacks(forge);
    for (let i = 0; i < bad.length; i += 20)
      await Promise.all(
        bad.slice(i, i + 20).map(async (one) => {
          const { statuses } = await send(one);
          expect([one.name, statuses, statuses.length <= 1 && statuses.every((status) => status >= 400 && status < 500)]).toEqual([
            one.name,
            statuses,
            true,
          ]);
        }),
      );
    expect(await shop.orderState(orderId)).toBe("reserved");
    const headers = Object.fromEntries(signedHeaders({ ...forge, nowMs: Date.now() }));
    for (let i = 0; i < 1_000; i += 50) {
      const replays = await Promise.all(Array.from({ length: 50 }, () => shop.post(path, { anonymous: true, raw: body, headers })));
      expect(replays.every(({ status }) => status === 200)).toBe(true);
    }
    const { data } = await shop.get(`/api/v1/orders/${orderId}`);
    expect([data["state"], data["refunds"]]).toEqual(["paid", []]);
    expect(await shop.stock(saleId)).toMatchObject({ available: 9, held: 0, sold: 1 });
    expect(await server.stop()).toBe(0);
  }, 60_000);
});
