/**
 * A connection to RabbitMQ that is made anew whenever it ends, with a channel set up by its user each time. Publishing and
 * reading have one each: a broker that is short of memory stops the connection that publishes, and must not stop the one
 * whose acknowledgements give it memory back.
 */
import { Duplex } from "node:stream";
import { connect, type ChannelModel } from "amqplib";
import { backoffMs } from "../../lib/backoff.ts";

export type LinkOptions = {
  /** amqp://user:password@host:port/vhost, or amqps://… */
  readonly url: string;
  readonly name: string;
  /** What was lost, or could not be had. */
  readonly onError?: ((message: string) => void) | undefined;
  /** What was lost is there again. */
  readonly onRecovered?: ((message: string) => void) | undefined;
};

export type LinkUser = {
  /** Called on each new connection; it is up when that is done. */
  readonly setUp?: (model: ChannelModel) => Promise<void>;
  /** It is gone. */
  readonly ended?: () => void;
  readonly unblocked?: () => void;
};

const connectTimeoutMs = 5_000;
const closeMaxMs = 1_000;
const heartbeatSeconds = 5;
const pause = { baseMs: 50, ceilingMs: 2_000 };

export class BrokerUrlWrong extends Error {
  override readonly name = "BrokerUrlWrong";
  readonly code = "broker_url_wrong";
  constructor() {
    super("Open the broker: its URL must begin with amqp:// or amqps://");
  }
}

export class RabbitLink {
  readonly #options: LinkOptions;
  readonly #user: LinkUser;
  /** The connection while there is one, though it may not be set up. */
  #model: ChannelModel | undefined;
  #isClosed = false;
  #isUp = false;
  #isBlocked = false;
  #wasLost = false;
  /** Who waits for a connection that is up. */
  #waiting: ((model: ChannelModel | undefined) => void)[] = [];
  readonly #running: Promise<void>;

  /** Throws BrokerUrlWrong. */
  constructor(options: LinkOptions, user: LinkUser = {}) {
    if (!/^amqps?:\/\//.test(options.url)) throw new BrokerUrlWrong();
    this.#options = options;
    this.#user = user;
    this.#running = this.#run();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The broker takes nothing from this connection just now. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** The connection that is up. */
  get model(): ChannelModel | undefined {
    return this.#isUp ? this.#model : undefined;
  }

  /** The connection that is up, once one is; undefined when there will be none any more. */
  whenUp(): Promise<ChannelModel | undefined> {
    if (this.model !== undefined || this.#isClosed) return Promise.resolve(this.model);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async ready(withinMs: number): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    while (!this.#isUp && performance.now() < untilMs) await sleep(10);
    return this.#isUp;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tellWaiting();
    await this.reset();
    await this.#running;
  }

  /** Ends the connection; another one is made. */
  async reset(): Promise<void> {
    if (this.#model !== undefined) await farewell(this.#model);
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed; failures++) {
      try {
        const { gone } = await this.#connect();
        failures = 0;
        await gone;
      } catch (error) {
        this.#wasLost = true;
        this.#options.onError?.(error instanceof Error ? error.message : String(error));
      }
      if (!this.#isClosed) await sleep(backoffMs(failures, pause));
    }
  }

  /** Resolves once it is up. */
  async #connect(): Promise<{ readonly gone: Promise<void> }> {
    const { url, name, onError, onRecovered } = this.#options;
    const model = await connectOnce({ url, name });
    this.#model = model;
    const { promise: gone, resolve: end } = Promise.withResolvers<void>();
    // At once, so that nobody who hears of the end of a channel takes its connection for one that is there.
    model.once("close", (error?: Error) => {
      this.#isUp = false;
      this.#isBlocked = false;
      this.#model = undefined;
      this.#wasLost = true;
      if (!this.#isClosed) onError?.(error?.message ?? "the connection ended");
      this.#user.ended?.();
      end();
    });
    // Its end follows, and tells the same.
    model.on("error", () => undefined);
    model.on("blocked", (reason: string) => {
      this.#isBlocked = true;
      onError?.(`the broker takes nothing: ${reason}`);
    });
    model.on("unblocked", () => {
      this.#isBlocked = false;
      this.#user.unblocked?.();
      onRecovered?.("the broker takes messages again");
    });
    try {
      // What is asked on a connection that ends need not hear of it.
      await Promise.race([this.#user.setUp?.(model), gone.then(endedEarly)]);
    } catch (error) {
      await farewell(model);
      throw error;
    }
    if (this.#isClosed) await farewell(model);
    else this.#up();
    return { gone };
  }

  #up(): void {
    this.#isUp = true;
    if (this.#wasLost) this.#options.onRecovered?.("connected again");
    this.#wasLost = false;
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(this.model);
  }
}

function endedEarly(): never {
  throw new Error("the connection ended before it was set up");
}

/** A connection as all of ours are; it tells nobody what becomes of it. */
export function connectOnce({ url, name }: Pick<LinkOptions, "url" | "name">): Promise<ChannelModel> {
  return connect(withHeartbeat(url), { noDelay: true, timeout: connectTimeoutMs, clientProperties: { connection_name: name } });
}

/**
 * A broker that answers no more hears no farewell: its connection would keep this process alive, and bring late what still
 * waits to be sent there.
 */
export async function farewell(model: ChannelModel): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, closeMaxMs);
  await Promise.race([model.close().catch(() => undefined), late]);
  clearTimeout(timer);
  const stream: unknown = Reflect.get(model.connection, "stream");
  // The client takes the end of a connection from nothing but an error, unless it has seen that end.
  if (stream instanceof Duplex) stream.destroy(new Error("the broker did not say farewell"));
}

function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has("heartbeat")) url.searchParams.set("heartbeat", String(heartbeatSeconds));
  return url.href;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
