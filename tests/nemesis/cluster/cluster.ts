/** An installation on engines of its own: two processes that answer and two that work, as an operator would run them. */
import { openMariadb, type MariadbServer } from "../../harness/engines/mariadb.ts";
import { openPostgres, type PostgresServer } from "../../harness/engines/postgres.ts";
import { openRabbitmq, type RabbitmqServer } from "../../harness/engines/rabbitmq.ts";
import { openRedis, type RedisServer } from "../../harness/engines/redis.ts";
import { installationEnvironment, type Engines } from "../../harness/installation.ts";
import { tempFolder } from "../../harness/volumes.ts";
import { Member } from "./member.ts";

export type ClusterOptions = {
  readonly mode: "sql" | "queued";
  readonly database: "mariadb" | "postgres";
  readonly appendfsync?: "always" | "everysec" | undefined;
  /** A bug of planted.ts instead of the product. */
  readonly planted?: string | undefined;
};

export class Cluster implements AsyncDisposable {
  readonly options: ClusterOptions;
  readonly database: MariadbServer | PostgresServer;
  readonly #queue: { readonly redis: RedisServer; readonly rabbit: RabbitmqServer } | undefined;
  readonly members: readonly Member[];
  readonly folder: string;
  readonly #release: () => void;

  private constructor(options: ClusterOptions, engines: Pick<Cluster, "database"> & { redis?: RedisServer; rabbit?: RabbitmqServer }) {
    this.options = options;
    this.database = engines.database;
    const { redis, rabbit } = engines;
    this.#queue = redis && rabbit && { redis, rabbit };
    const folder = tempFolder();
    this.folder = folder.path;
    this.#release = folder.release;
    const { planted } = options;
    const bug = planted === undefined ? {} : { entry: ["tests/nemesis/cluster/planted.ts", "serve"], env: { PLANTED: planted } };
    const member = (name: string, role: Member["role"]) => new Member({ name, role, engines: this.#engines, folder: folder.path, ...bug });
    this.members = [member("api-1", "api"), member("api-2", "api"), member("worker-1", "worker"), member("worker-2", "worker")];
  }

  static async open(options: ClusterOptions): Promise<Cluster> {
    const opened = new AsyncDisposableStack();
    try {
      const database = opened.use(await (options.database === "mariadb" ? openMariadb() : openPostgres()));
      const queue =
        options.mode === "queued"
          ? { redis: opened.use(await openRedis({ appendfsync: options.appendfsync })), rabbit: opened.use(await openRabbitmq()) }
          : {};
      const cluster = opened.use(new Cluster(options, { database, ...queue }));
      // The first brings the store to its schema.
      for (const member of cluster.members) await member.start();
      opened.move();
      return cluster;
    } catch (error) {
      await opened.disposeAsync();
      throw error;
    }
  }

  get redis(): RedisServer {
    return this.#inQueued.redis;
  }

  get rabbit(): RabbitmqServer {
    return this.#inQueued.rabbit;
  }

  get #inQueued() {
    if (this.#queue === undefined) throw new Error("there is neither cache nor broker in sql mode");
    return this.#queue;
  }

  get #engines(): Engines {
    const queue = this.#queue && { redisUrl: this.#queue.redis.url, brokerUrl: this.#queue.rabbit.url };
    return { databaseUrl: this.database.url, queue };
  }

  /** How whoever looks at it from outside reaches the engines. */
  get environment(): Record<string, string> {
    return installationEnvironment(this.#engines);
  }

  get apis(): readonly Member[] {
    return this.members.filter(({ role }) => role === "api");
  }

  get workers(): readonly Member[] {
    return this.members.filter(({ role }) => role === "worker");
  }

  get engines(): readonly {
    kill(): Promise<void>;
    start(): Promise<void>;
    freeze(): Promise<void>;
    thaw(): void;
    readonly isUp: boolean;
  }[] {
    return [this.database, ...(this.#queue === undefined ? [] : [this.#queue.redis, this.#queue.rabbit])];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()));
    for (const engine of [this.#queue?.rabbit, this.#queue?.redis, this.database]) await engine?.close();
    this.#release();
  }
}
