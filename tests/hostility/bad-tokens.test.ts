/** No bad bearer opens anything: not the API, not the purchase route, not a live stream, below the socket and through it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { parseBuyerId } from "../../src/domain/ids.ts";
import type { TokenHolder, Tokens } from "../../src/ports/tokens.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { openMemoryApi, shopKey, type MemoryApi } from "../harness/memory-api.ts";
import { ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { sendRaw } from "../e2e/raw-socket.ts";
import { badTokens, type BadToken } from "./bad-tokens.ts";

const secret = new Uint8Array(32).fill(5);

/** Ways in that a bearer or a ticket may open, and what each answers to the corpus. */
type Door = { readonly name: string; readonly ask: (api: MemoryApi, saleId: string, bad: BadToken) => Promise<number> };
const withHeaders = async (api: MemoryApi, method: string, path: string, headers: Record<string, string>, json?: unknown) => {
  const response = await api.send(method, path, { headers, json });
  await response.body?.cancel();
  return response.status;
};
const doors: readonly Door[] = [
  { name: "the API", ask: (api, _, { authorization }) => withHeaders(api, "GET", "/api/v1/orders", { authorization }) },
  {
    name: "the purchase route",
    ask: (api, saleId, { authorization }) =>
      withHeaders(api, "POST", `/api/v1/sales/${saleId}/purchases`, { authorization }, { quantity: 1 }),
  },
  {
    name: "a buyer's live stream",
    ask: (api, _, { authorization }) => withHeaders(api, "GET", "/api/v1/purchases/events", { authorization }),
  },
  {
    name: "a sale's open page, where a bad credential is no less an error",
    ask: (api, saleId, { authorization }) => withHeaders(api, "GET", `/api/v1/sales/${saleId}`, { authorization }),
  },
];

async function forge(change: Partial<{ tokens: Tokens }> = {}) {
  const api = await openMemoryApi(change);
  const { saleId } = await api.openSale({ nowMs: api.time.nowMs, stock: 100 });
  const strict = await openMemoryApi();
  await strict.openSale({ nowMs: strict.time.nowMs });
  const good = await strict.tokenOf("ann");
  const ticketed = await strict.ask("POST", "/api/v1/purchases/events/ticket", { key: shopKey, userId: "ann" });
  const ticket = /doorbuster_events=([^;]+)/.exec(ticketed.headers.get("set-cookie") ?? "")?.[1] ?? "";
  const others = [await strict.tokenOf("bob"), await strict.tokenOf("cy")];
  await strict.close();
  return { api, saleId, good, corpus: badTokens({ good, secret, others, ticket, nowMs: api.time.nowMs }), ticket };
}

/** Header values that HTTP itself cannot carry go over a raw socket only. */
function isSendable({ authorization }: BadToken): boolean {
  try {
    return new Headers({ authorization }).get("authorization") === authorization;
  } catch {
    return false;
  }
}

const sample = await forge();
const corpus = sample.corpus;
afterAll(async () => {
  await sample.api.close();
  cleanUp();
});

test(`[HO1] the corpus has ${corpus.length} bad bearers (at least 120), each with a name of its own and a hope`, () => {
  expect(corpus.length).toBeGreaterThanOrEqual(120);
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
  expect(new Set(corpus.map(({ authorization }) => authorization)).size).toBe(corpus.length);
  expect(corpus.filter(isSendable).length).toBeGreaterThanOrEqual(120);
});

/** Names of the bad bearers that got in. */
async function admitted(api: MemoryApi, saleId: string, door: Door, bad: readonly BadToken[] = corpus): Promise<string[]> {
  const names: string[] = [];
  for (const one of bad.filter(isSendable)) if ((await door.ask(api, saleId, one)) !== 401) names.push(one.name);
  return names;
}

describe("below the socket", () => {
  for (const door of doors)
    test(`[HO1, E5] 0 of ${corpus.length} bad bearers pass ${door.name}, and the good one does`, async () => {
      const { api, saleId, good } = sample;
      expect(await admitted(api, saleId, door)).toEqual([]);
      expect(await door.ask(api, saleId, { name: "good", hope: "", authorization: `Bearer ${good}` })).toBeLessThan(300);
    });

  test("[HO1] the scheme is a word in any case, as HTTP has it", async () => {
    const { api, good } = sample;
    for (const scheme of ["bearer", "BEARER", "BeArEr"])
      expect(await withHeaders(api, "GET", "/api/v1/orders", { authorization: `${scheme} ${good}` })).toBe(200);
  });

  test("[HO1] none of them passes as the cookie of a live stream, nor does a bearer; a ticket does", async () => {
    const { api, good, ticket } = sample;
    const asCookie = (value: string) => withHeaders(api, "GET", "/api/v1/purchases/events", { cookie: `doorbuster_events=${value}` });
    for (const { name, authorization } of corpus.filter(isSendable)) {
      const value = authorization.replace(/^Bearer /, "");
      if (value !== ticket) expect([name, await asCookie(value)]).toEqual([name, 401]);
    }
    expect([await asCookie(good), await asCookie(ticket)]).toEqual([401, 200]);
  });

  test("[HO1] nothing was bought, and nobody was written down, by any of them", () => {
    expect(sample.api.store.tables.purchases.size).toBe(1);
  });
});

/** A checker as others have it: parses, believes the header, and leaves out one rule. */
function laxTokens(skipped: "signature" | "exp" | "aud" | "iss" | "typ" | "alg", nowMs: number): Tokens {
  const check = (token: string): TokenHolder | undefined => {
    const [head = "", body = "", signature = ""] = token.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString());
    const said = JSON.parse(Buffer.from(body, "base64url").toString());
    const isUnsigned = skipped === "alg" && String(header.alg).toLowerCase() === "none";
    const right = createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url");
    if (skipped !== "signature" && !isUnsigned && signature !== right) return undefined;
    if (skipped !== "alg" && header.alg !== "HS256") return undefined;
    if (skipped !== "typ" && header.typ !== "at+jwt") return undefined;
    if (skipped !== "exp" && !(said.exp * 1000 > nowMs)) return undefined;
    if (skipped !== "aud" && said.aud !== "doorbuster") return undefined;
    if (skipped !== "iss" && said.iss !== "test") return undefined;
    const buyerId = parseBuyerId(Number(said.bid));
    return buyerId && { buyer: { issuer: String(said.bi), subject: String(said.sub) }, buyerId, expiresAtMs: Number(said.exp) * 1000 };
  };
  const safely = (token: string) => {
    try {
      return check(token);
    } catch {
      return undefined;
    }
  };
  return { mint: () => "", check: safely };
}

describe("controls: a checker that leaves out one rule lets some through", () => {
  for (const skipped of ["signature", "exp", "aud", "iss", "typ", "alg"] as const)
    test(`[HO1] without a look at ${skipped}`, async () => {
      const lax = await forge({ tokens: laxTokens(skipped, sample.api.time.nowMs) });
      const names = await admitted(lax.api, lax.saleId, doors[0] as Door);
      await lax.api.close();
      expect(names.length).toBeGreaterThan(3);
    });
});

describe("through the socket", () => {
  const tokenSecret = "a-token-secret-of-the-hostility-test-0123456789";
  let server: ServerProcess;
  let shop: Shop;
  let saleId: string;
  let overWire: BadToken[];
  let good: string;
  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: tempFolder().path, env: { DOORBUSTER_TOKEN_SECRET: tokenSecret } });
    shop = new Shop(() => server.url);
    saleId = await shop.liveSale({ stock: 10 });
    const tokenOf = async (user_id: string) => String((await shop.post("/api/v1/tokens", { body: { user_id } })).data["token"]);
    good = await tokenOf("ann");
    const ticketed = await shop.post("/api/v1/purchases/events/ticket", { buyer: "ann" });
    const ticket = /doorbuster_events=([^;]+)/.exec(ticketed.headers.get("set-cookie") ?? "")?.[1] ?? "";
    overWire = badTokens({ good, secret: Buffer.from(tokenSecret), others: [await tokenOf("bob")], ticket, nowMs: Date.now() });
  }, 30_000);
  afterAll(async () => {
    expect(await server.stop()).toBe(0);
  });

  const raw = async (method: string, path: string, authorization: string, body = "") => {
    const length = body === "" ? "" : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    const { statuses } = await sendRaw(server.url, [
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n${length}\r\n${body}`,
    ]);
    return statuses;
  };

  test("[HO1] 0 of them pass as raw bytes on either route: refused once, or the connection is closed", async () => {
    const refusals = new Set([400, 401, 431]);
    for (let i = 0; i < overWire.length; i += 20)
      await Promise.all(
        overWire.slice(i, i + 20).map(async ({ name, authorization }) => {
          for (const statuses of [
            await raw("GET", "/api/v1/orders", authorization),
            await raw("POST", `/api/v1/sales/${saleId}/purchases`, authorization, '{"quantity":1}'),
          ])
            expect([name, statuses, statuses.length <= 1 && statuses.every((status) => refusals.has(status))]).toEqual([
              name,
              statuses,
              true,
            ]);
        }),
      );
    expect((await shop.stock(saleId))["held"]).toBe(0);
    expect(await raw("GET", "/api/v1/orders", `Bearer ${good}`)).toEqual([200]);
    expect(await raw("POST", `/api/v1/sales/${saleId}/purchases`, `Bearer ${good}`, '{"quantity":1}')).toEqual([201]);
  }, 60_000);
});
