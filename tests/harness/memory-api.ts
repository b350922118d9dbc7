/** The whole API over the memory store, below the socket, with a clock that a test moves. */
import { createServerKeys } from "../../src/adapters/auth/server-keys.ts";
import { createEventTickets } from "../../src/adapters/auth/event-tickets.ts";
import { createTokens, type TokenOptions } from "../../src/adapters/auth/tokens.ts";
import { MemoryExports } from "../../src/adapters/memory/memory-exports.ts";
import { MemoryStore } from "../../src/adapters/memory/memory-store.ts";
import { MemoryJournal } from "../../src/adapters/payment/provider-journal.ts";
import { SimulatedProvider } from "../../src/adapters/payment/simulated-provider.ts";
import { WebhookVerifier } from "../../src/adapters/payment/webhook-signature.ts";
import { SystemTasks } from "../../src/adapters/system/system-tasks.ts";
import { IdMint } from "../../src/domain/id-mint.ts";
import { DirectAcceptance } from "../../src/engine/accept-direct.ts";
import { ChangeBoard } from "../../src/engine/change-board.ts";
import { ProductCache } from "../../src/engine/product-cache.ts";
import { SaleBoard } from "../../src/engine/sale-board.ts";
import { createApp, type App } from "../../src/http/app.ts";
import type { HttpDeps } from "../../src/http/deps.ts";
import type { LogFields } from "../../src/ports/log.ts";
import { DescribedAnswers } from "./described-answers.ts";
import { memoryPeople } from "../kit/account-world.ts";
import { SeededEntropy } from "../kit/seeded-entropy.ts";

export const shopKey = "test-shop-key-0123456789-0123456789";
export const otherShopKey = "test-other-key-0123456789-012345678";
export const webhookSecret = new Uint8Array(32).fill(9);
const startMs = Date.UTC(2030, 0, 1, 12);

export type Call = {
  readonly key?: string | undefined;
  readonly userId?: string | undefined;
  readonly bearer?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly json?: unknown;
  /** Sent as it is, with `contentType` (application/json unless said otherwise; null for none). */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream | undefined;
  readonly contentType?: string | null | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly peer?: string | undefined;
  readonly host?: string | undefined;
};

export type Told = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly code: number;
  readonly message: string;
  /** As JSON has it; tests say what they expect of it. */
  readonly data: Record<string, unknown>;
};

/** Made once for all: every answer that a test gets is held to it. */
let description: DescribedAnswers | undefined;
const described = () => (description ??= new DescribedAnswers());

export type MemoryApi = Awaited<ReturnType<typeof openMemoryApi>>;

export async function openMemoryApi(change: Partial<HttpDeps> & { store?: MemoryStore; queueMax?: number } = {}) {
  const time = { nowMs: startMs };
  const clock = change.clock ?? { nowMs: () => time.nowMs };
  const logged: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const logs = (level: string) => (message: string, fields?: LogFields) => void logged.push({ level, message, fields });
  const log = { debug: logs("debug"), info: logs("info"), warn: logs("warn"), error: logs("error") };
  let secrets = 0;
  const entropy = { random: () => 0.5, secret: (size: number) => `s${++secrets}`.padEnd(size, "x") };
  const tasks = change.tasks ?? new SystemTasks();
  const store = change.store ?? new MemoryStore();
  const records = change.records ?? store;
  const ids = new IdMint({ nowMs: () => clock.nowMs(), random: entropy.random });
  const changes = new ChangeBoard({ tasks, log });
  const board = new SaleBoard({ records, clock, entropy, changes }, { salesMax: 1000, buyersMax: 100_000 });
  const acceptance = new DirectAcceptance(
    { ledger: store, board, clock, tasks, changes },
    { batchMax: 100, queueMax: change.queueMax ?? 1000, answerTimeoutMs: 5000 },
  );
  const provider = await SimulatedProvider.open({ journal: new MemoryJournal(), clock, tasks, entropy, send: async () => true });
  const signing: TokenOptions = { keys: [{ kid: "t", secret: new Uint8Array(32).fill(5) }], issuer: "test", entropy };
  const configured = [
    { id: "one", issuer: "shop", secret: shopKey },
    { id: "two", issuer: "other", secret: otherShopKey },
  ];
  const keyRing = createServerKeys(configured, new SeededEntropy(17));
  const people = memoryPeople({ store, keyRing });
  for (const id of ["shop", "other"]) await people.accounts.ensureMerchant({ id, name: id, createdAtMs: startMs });
  const deps: HttpDeps = {
    options: { environment: "production", version: "test", corsOrigins: [], shop: "shop" },
    board,
    acceptance,
    clock,
    ids,
    entropy,
    changes,
    tasks,
    records,
    products: new ProductCache({ records, clock, entropy }),
    log,
    provider,
    exports: new MemoryExports(store),
    catalogue: store,
    tokens: createTokens(signing),
    eventTickets: createEventTickets(signing),
    revocations: people.revocations,
    serverKeys: keyRing,
    people,
    callbackVerifiers: new Map([["simulated", new WebhookVerifier([webhookSecret])]]),
    isLeaving: () => false,
    isDraining: () => false,
    ...change,
  };
  const app = createApp(deps);
  return { app, deps, people, changes, store, time, logged, ...caller(app), close: () => provider.close() };
}

function caller(app: App) {
  const send = (method: string, path: string, call: Call = {}) =>
    app.fetch(requestOf(method, path, call), { address: call.peer ?? "203.0.113.9" });
  const ask = async (method: string, path: string, call?: Call) => {
    const response = await send(method, path, call);
    const answer = await told(response);
    const problem = described().problemOf({ method, path, response, text: answer.text });
    if (problem !== undefined) throw new Error(problem);
    return answer;
  };
  const shop = (method: string, path: string, json?: unknown) => ask(method, path, { key: shopKey, json });
  const tokenOf = async (userId: string) => {
    const { status, data } = await shop("POST", "/api/v1/tokens", { user_id: userId });
    if (status !== 201) throw new Error(`No token for ${userId}: ${status}`);
    return String(data["token"]);
  };
  /** A published sale of a new product; times are from now, in seconds. */
  const openSale = async (fields: Record<string, unknown> & { startsIn?: number; endsIn?: number; nowMs: number }) => {
    const { startsIn = 0, endsIn = 3600, nowMs, ...rest } = fields;
    const product = await shop("POST", "/api/v1/products", { name: "Lamp", price_minor: 9900, currency: "CNY" });
    const sale = await shop("POST", "/api/v1/sales", {
      product_id: product.data["id"],
      stock: 10,
      starts_at: new Date(nowMs + startsIn * 1000).toISOString(),
      ends_at: new Date(nowMs + endsIn * 1000).toISOString(),
      ...rest,
    });
    const published = await shop("POST", `/api/v1/sales/${String(sale.data["id"])}/publish`);
    if (published.status !== 200) throw new Error(`No sale: ${sale.text} ${published.text}`);
    return { saleId: String(sale.data["id"]), productId: String(product.data["id"]) };
  };
  return { send, ask, shop, tokenOf, openSale };
}

function requestOf(method: string, path: string, call: Call): Request {
  const { key, userId, bearer, idempotencyKey, json, raw, contentType = "application/json" } = call;
  const body = raw ?? (json === undefined ? undefined : JSON.stringify(json));
  const headers = new Headers(call.headers);
  const set = (name: string, value: string | null | undefined) => value !== undefined && value !== null && headers.set(name, value);
  set("x-api-key", key);
  set("x-user-id", userId);
  set("authorization", bearer === undefined ? undefined : `Bearer ${bearer}`);
  set("idempotency-key", idempotencyKey);
  if (body !== undefined) set("content-type", contentType);
  const request = new Request(`http://${call.host ?? "shop.test"}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  if (contentType === null) request.headers.delete("content-type");
  return request;
}

async function told(response: Response): Promise<Told> {
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json" && text !== "";
  const { code = -1, message = "", data = {} } = isJson ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, text, code, message, data };
}
