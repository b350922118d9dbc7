/** One server for a whole run of the cases; afterwards it must stop cleanly and its store must hold every promise. */
import { afterAll, beforeAll, expect } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess, type Runtime } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";

export type UnderTest = { readonly shop: Shop; readonly url: () => string };

export function useServer(runtime: Runtime, env: Readonly<Record<string, string>> = {}): UnderTest {
  const dataDir = tempFolder().path;
  let server: ServerProcess | undefined;
  const url = () => server?.url ?? "http://the-server-has-not-started";
  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir, runtime, env });
  }, 30_000);
  afterAll(async () => {
    try {
      expect(await server?.stop()).toBe(0);
      expect((await verifyStore(dataDir)).problems).toEqual([]);
      const failures = server?.log.filter((line) => line.includes('"level":50') || line.includes('"level":60')) ?? [];
      expect(failures).toEqual([]);
    } finally {
      cleanUp();
    }
  }, 60_000);
  return { shop: new Shop(url), url };
}
