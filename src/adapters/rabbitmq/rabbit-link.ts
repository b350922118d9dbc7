/**
 * A connection to RabbitMQ that is made anew whenever it ends, with a channel set up by its user each time. Publishing and
 * reading have one each: a broker that is short of memory stops the connection that publishes, and must not stop the one
 * whose acknowledgements give it memory back.
 */
import { connect, type ChannelModel } from "amqplib";
import { backoffMs } from "../../lib/backoff.ts";

export type LinkOptions = {
  /** amqp://user:password@host:port/vhost, or amqps://… */
  readonly url: string;
  readonly name: string;
  readonly onError?: ((message: string) => void) | undefined;
};

const connectTimeoutMs = 5_000;
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
  readonly #setUp: (model: ChannelModel) => Promise<void>;
  readonly #ended: () => void;
  #model: ChannelModel | undefined;
  #isClosed = false;
  #isUp = false;
  #isBlocked = false;
  readonly #running: Promise<void>;

  /** `setUp` is called on each new connection; it is up when that is done. `ended` when it is gone. Throws BrokerUrlWrong. */
  constructor(options: LinkOptions, { setUp, ended }: { setUp: (model: ChannelModel) => Promise<void>; ended: () => void }) {
    if (!/^amqps?:\/\//.test(options.url)) throw new BrokerUrlWrong();
    this.#options = options;
    this.#setUp = setUp;
    this.#ended = ended;
    this.#running = this.#run();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The broker takes nothing from this connection just now. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  async ready(withinMs: number): Promise<boolean> {
    const untilMs = performance.now() + withinMs;
    while (!this.#isUp && performance.now() < untilMs) await sleep(10);
    return this.#isUp;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#model?.close().catch(() => undefined);
    await this.#running;
  }

  /** Ends the connection; another one is made. */
  async reset(): Promise<void> {
    await this.#model?.close().catch(() => undefined);
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed; failures++) {
      try {
        const { gone } = await this.#connect();
        failures = 0;
        await gone;
      } catch (error) {
        this.#options.onError?.(error instanceof Error ? error.message : String(error));
      }
      this.#isUp = false;
      this.#model = undefined;
      this.#ended();
      if (!this.#isClosed) await sleep(backoffMs(failures, pause));
    }
  }

  /** Resolves once it is up. */
  async #connect(): Promise<{ readonly gone: Promise<void> }> {
    const { url, name, onError } = this.#options;
    const model = await connectOnce({ url, name });
    this.#model = model;
    this.#isBlocked = false;
    const gone = new Promise<void>((resolve) => model.once("close", () => resolve()));
    model.on("error", (error: Error) => onError?.(error.message));
    model.on("blocked", (reason: string) => {
      this.#isBlocked = true;
      onError?.(`the broker takes nothing: ${reason}`);
    });
    model.on("unblocked", () => void (this.#isBlocked = false));
    try {
      await this.#setUp(model);
    } catch (error) {
      await model.close().catch(() => undefined);
      throw error;
    }
    this.#isUp = !this.#isClosed;
    return { gone };
  }
}

/** A connection as all of ours are; it tells nobody what becomes of it. */
export function connectOnce({ url, name }: Pick<LinkOptions, "url" | "name">): Promise<ChannelModel> {
  return connect(withHeartbeat(url), { noDelay: true, timeout: connectTimeoutMs, clientProperties: { connection_name: name } });
}

function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (!url.searchParams.has("heartbeat")) url.searchParams.set("heartbeat", String(heartbeatSeconds));
  return url.href;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
