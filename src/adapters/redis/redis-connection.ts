/**
 * A connection to Redis, on which nothing is ever sent twice: what is asked while it is away is refused at once, and what
 * was sent and not answered is told as unknown.
 *
 * Must stay true: a server that takes no writes any more is left, though it answers; where the address leads by now, the
 * one that took its place is.
 */
import { createClient, ErrorReply, ClientOfflineError } from "@redis/client";

export type RedisReply =
  | { readonly kind: "ok"; readonly value: unknown }
  /** The script is not there: this server has never been told of the epoch, or has forgotten it. */
  | { readonly kind: "no_script" }
  /** It is a replica now: it does nothing, and its data are no longer what this server decided. */
  | { readonly kind: "demoted"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };

export type RedisOptions = {
  /** redis://user:password@host:port/number, or rediss://… */
  readonly url: string;
  /** For who looks at the server's list of clients. */
  readonly name: string;
  /** A call that is not answered by then is unknown; it may be done yet. */
  readonly callTimeoutMs: number;
  readonly onError?: ((message: string) => void) | undefined;
};

const connectTimeoutMs = 2_000;
const reconnect = { baseMs: 20, ceilingMs: 500 };

/** What the server says when it has done nothing of a command. */
const notDone = /^(?:LOADING|OOM|MISCONF|NOAUTH|NOPERM|WRONGPASS|BUSY|TRYAGAIN|CLUSTERDOWN|MOVED|ASK|NOREPLICAS)\b/;

/** It decides no more: another one does. */
const demoted = /^(?:READONLY|MASTERDOWN)\b/;
const loading = /^LOADING\b/;
/** Mostly it is the same server, which will have its data soon. */
const loadingMaxMs = 3_000;
/** The address may lead to the same server for a while. */
const leaveEveryMs = 500;

export class RedisUrlWrong extends Error {
  override readonly name = "RedisUrlWrong";
  readonly code = "redis_url_wrong";
  constructor() {
    super("Open the cache: its URL must begin with redis:// or rediss://");
  }
}

export class RedisSilent extends Error {
  override readonly name = "RedisSilent";
  readonly code = "ETIMEDOUT";
  constructor() {
    super("The cache did not answer in time");
  }
}

export class RedisConnection {
  #client: Client;
  readonly #callTimeoutMs: number;
  /** Begins another connection in its place; absent of one that connects once. */
  readonly #anew: (() => Client) | undefined;
  /** Whose answers may come yet. */
  readonly #left = new Set<Client>();
  #isClosed = false;
  #leftAtMs = -leaveEveryMs;
  /** Since when it has said nothing but that it is loading. */
  #loadingSinceMs: number | undefined;

  private constructor(client: Client, { callTimeoutMs, anew }: { callTimeoutMs: number; anew?: () => Client }) {
    this.#client = client;
    this.#callTimeoutMs = callTimeoutMs;
    this.#anew = anew;
  }

  /** Begins to connect, and goes on until it is closed. Throws RedisUrlWrong. */
  static open(options: RedisOptions): RedisConnection {
    const anew = (): Client => {
      const client = newClient(options, {
        againAfterMs: (tries) => Math.min(reconnect.ceilingMs, reconnect.baseMs * 2 ** Math.min(tries, 10)),
      });
      client.on("error", (error: unknown) => options.onError?.(messageOf(error)));
      // It tries again by itself; who asks meanwhile hears of it.
      client.connect().catch((error: unknown) => options.onError?.(messageOf(error)));
      return client;
    };
    return new RedisConnection(anew(), { callTimeoutMs: options.callTimeoutMs, anew });
  }

  /** Connects once, for who wants to know why it cannot: throws that, as the machine or the server say it. Throws RedisUrlWrong. */
  static async connect(options: RedisOptions): Promise<RedisConnection> {
    const client = newClient(options, { againAfterMs: () => false });
    // The same comes as the end of the connecting, or of a call.
    client.on("error", () => undefined);
    const connection = new RedisConnection(client, options);
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new RedisSilent()), options.callTimeoutMs);
    try {
      await Promise.race([client.connect(), late]);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get isReady(): boolean {
    return this.#client.isReady;
  }

  /** Whether it could connect by then. */
  async ready(withinMs: number): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    while (!this.#client.isReady && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 10));
    return this.#client.isReady;
  }

  async ask(command: readonly string[]): Promise<RedisReply> {
    const client = this.#client;
    if (!client.isReady) return { kind: "failed", message: "The cache is not connected" };
    try {
      // The client changes nothing of what it is given.
      const reply = await this.#within(client.sendCommand(command as string[]));
      if (reply.kind === "ok") this.#loadingSinceMs = undefined;
      return reply;
    } catch (error) {
      if (error instanceof ErrorReply && client === this.#client) this.#judge(error.message);
      return failureOf(error);
    }
  }

  /** Leaves a server that decides no more. What it has been asked it may answer yet. */
  #judge(said: string): void {
    const nowMs = performance.now();
    if (loading.test(said)) this.#loadingSinceMs ??= nowMs;
    else this.#loadingSinceMs = undefined;
    const isLoading = this.#loadingSinceMs !== undefined && nowMs - this.#loadingSinceMs > loadingMaxMs;
    if (!isLoading && !demoted.test(said)) return;
    if (this.#anew === undefined || this.#isClosed || nowMs - this.#leftAtMs < leaveEveryMs) return;
    this.#leftAtMs = nowMs;
    this.#loadingSinceMs = undefined;
    const left = this.#client;
    this.#client = this.#anew();
    this.#left.add(left);
    const end = () => {
      this.#left.delete(left);
      destroy(left);
    };
    setTimeout(end, this.#callTimeoutMs).unref();
  }

  /** Sent together, answered in their order; nothing of later ones is done before the earlier ones are. */
  async askAll(commands: readonly (readonly string[])[]): Promise<readonly RedisReply[]> {
    return Promise.all(commands.map((command) => this.ask(command)));
  }

  close(): void {
    this.#isClosed = true;
    for (const client of [this.#client, ...this.#left]) destroy(client);
  }

  #within(sent: Promise<unknown>): Promise<RedisReply> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => resolve({ kind: "unknown", message: `The cache did not answer within ${this.#callTimeoutMs} ms` }),
        this.#callTimeoutMs,
      );
      sent.then((value) => resolve({ kind: "ok", value }), reject).finally(() => clearTimeout(timer));
    });
  }
}

type Client = ReturnType<typeof newClient>;

function destroy(client: Client): void {
  if (client.isOpen) client.destroy();
}

type Reconnecting = { readonly againAfterMs: (tries: number) => number | false };

function newClient(options: RedisOptions, reconnecting: Reconnecting) {
  const protocol = URL.canParse(options.url) ? new URL(options.url).protocol : "";
  if (protocol !== "redis:" && protocol !== "rediss:") throw new RedisUrlWrong();
  return createClient(clientOptions(options, reconnecting));
}

export function clientOptions({ url, name, callTimeoutMs }: RedisOptions, { againAfterMs }: Reconnecting) {
  return {
    url,
    name: name.replaceAll(/[^!-~]/g, "-"),
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    // By itself the client gives up after 5 s what it could not write yet: less than a large load may take.
    commandOptions: { timeout: callTimeoutMs },
    socket: {
      connectTimeout: connectTimeoutMs,
      reconnectStrategy: againAfterMs,
    },
  } as const;
}

function failureOf(error: unknown): RedisReply {
  const message = messageOf(error);
  if (error instanceof ClientOfflineError) return { kind: "failed", message };
  if (!(error instanceof ErrorReply)) return { kind: "unknown", message };
  if (error.message.startsWith("NOSCRIPT")) return { kind: "no_script" };
  if (demoted.test(error.message)) return { kind: "demoted", message };
  return { kind: notDone.test(error.message) ? "failed" : "unknown", message };
}

const messageOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
