/** Servers for a whole run of the cases; afterwards they must stop cleanly and their store must hold every promise. */
import { afterAll, beforeAll, expect } from "bun:test";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { apiEnvironment, installationEnvironment, workerEnvironment, type Engines } from "../harness/installation.ts";
import { ServerProcess, type Runtime } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";
import { pause, waitFor } from "../harness/wait.ts";

const soonMaxMs = 5_000;

export type Mode = "embedded" | "sql" | "queued";
export type UnderTest = {
  readonly shop: Shop;
  readonly url: () => string;
  readonly mode: Mode;
  /**
   * The answer that shows what was done before. One process shows it at once; where another did it, or a cache has to hear
   * of it, it is asked for until it does, and what is shown in the end is the test's to judge.
   */
  readonly soon: <Value>(ask: () => Promise<Value>, shows: (value: Value) => boolean) => Promise<Value>;
};
type Env = Readonly<Record<string, string>>;

export function useServer(runtime: Runtime, env: Env = {}): UnderTest {
  const dataDir = tempFolder().path;
  const servers: ServerProcess[] = [];
  beforeAll(async () => {
    servers.push(await ServerProcess.start({ dataDir, runtime, env }));
  }, 30_000);
  // With all that was begun: an embedded store's engines are of this test alone.
  endAfter(servers, { verify: () => verifyStore(dataDir), end: cleanUp });
  return underTest(servers, "embedded");
}

/** One process that answers, and one that works, on engines that others use, too. */
export function useInstallation(runtime: Runtime, mode: "sql" | "queued", engines: () => Promise<Engines>): UnderTest {
  const folder = tempFolder();
  const servers: ServerProcess[] = [];
  let env: Env = {};
  beforeAll(async () => {
    env = installationEnvironment(await engines());
    const start = (name: string, own: Env) => ServerProcess.start({ dataDir: join(folder.path, name), runtime, env: { ...env, ...own } });
    servers.push(await start("api", apiEnvironment));
    servers.push(await start("worker", workerEnvironment));
  }, 60_000);
  const end = () => {
    for (const { child } of servers) if (child.exitCode === null) child.kill("SIGKILL");
    folder.release();
  };
  const verify = async () => verifyStore(join(folder.path, "verify"), { env, atRest: mode === "queued" });
  // When nobody asks any more, what is behind brings the cache up to the ledger.
  const comeToRest = async () => {
    expect(await servers.shift()?.stop()).toBe(0);
    await waitFor("cache and ledger that are equal", async () => (await verify()).problems.length === 0, { withinMs: 15_000 });
  };
  endAfter(servers, { verify, end, before: mode === "queued" ? comeToRest : undefined });
  return underTest(servers, mode);
}

function underTest(servers: readonly ServerProcess[], mode: Mode): UnderTest {
  const url = () => servers[0]?.url ?? "http://the-server-has-not-started";
  const soon: UnderTest["soon"] = async (ask, shows) => {
    const untilMs = performance.now() + (mode === "embedded" ? 0 : soonMaxMs);
    for (;;) {
      const value = await ask();
      if (shows(value) || performance.now() >= untilMs) return value;
      await pause(20);
    }
  };
  return { shop: new Shop(url, { isShared: mode !== "embedded" }), url, mode, soon };
}

type End = {
  readonly verify: () => ReturnType<typeof verifyStore>;
  readonly end: () => void;
  readonly before?: (() => Promise<void>) | undefined;
};

function endAfter(servers: readonly ServerProcess[], { verify, end, before }: End): void {
  afterAll(async () => {
    const all = [...servers];
    try {
      expect(servers).not.toEqual([]);
      await before?.();
      for (const server of servers) expect(await server.stop()).toBe(0);
      expect((await verify()).problems).toEqual([]);
      const log = all.flatMap((server) => server.log);
      expect(log.filter((line) => line.includes('"level":50') || line.includes('"level":60'))).toEqual([]);
    } finally {
      end();
    }
  }, 60_000);
}
