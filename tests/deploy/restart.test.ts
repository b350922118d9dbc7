/**
 * A rolling restart, as docs/deployment.md has it, under a light load of reads and purchases: nobody hears anything but yes. The
 * two servers have copies of one store, so that both know the sale; each sells on its own.
 */
import { afterEach, expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { apiKey, ServerProcess } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { pause, waitFor } from "../harness/wait.ts";
import { everyProxy, freePort, installedProxies, noProxy, ProxyProcess, testCertificate, type ProxyKind } from "./proxies.ts";

afterEach(cleanUp);

/** A server that keeps its place: started again, it is the same one on the same port. */
class Place {
  readonly dataDir: string;
  readonly at: string;
  readonly #env: Readonly<Record<string, string>>;
  server: ServerProcess | undefined;

  constructor(dataDir: string, port: number, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.at = `127.0.0.1:${port}`;
    this.#env = { ...env, DOORBUSTER_HTTP_PORT: String(port) };
  }

  async start(): Promise<void> {
    this.server = await ServerProcess.start({ dataDir: this.dataDir, env: this.#env });
  }

  /** Purchases it was asked for since it was started. */
  async asked(): Promise<number> {
    const { text } = await new Shop(() => `http://${this.at}`).get("/metrics");
    return [...text.matchAll(/^doorbuster_purchases_total\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  }
}

type World = { readonly places: readonly [Place, Place]; readonly saleId: string };

async function twoPlaces(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const folder = tempFolder().path;
  const [first, second] = [join(folder, "one"), join(folder, "two")];
  const server = await ServerProcess.start({ dataDir: first });
  const saleId = await new Shop(() => server.url).liveSale({ stock: 1_000_000, per_buyer_limit: 1 });
  expect(await server.stop()).toBe(0);
  cpSync(first, second, { recursive: true });
  const places = [new Place(first, await freePort(), env), new Place(second, await freePort(), env)] as const;
  await Promise.all(places.map((place) => place.start()));
  return { places: [...places], saleId };
}

/**
 * Buyers who come again and again, on connections that they keep. Where there was no answer they ask once more, under the same
 * key, as every client has to; what they heard besides yes is kept.
 */
class Load {
  readonly others: string[] = [];
  heard = 0;
  silences = 0;
  #over = false;
  readonly #running: readonly Promise<void>[];

  constructor(proxy: ProxyProcess, saleId: string) {
    this.#running = Array.from({ length: 6 }, (_, i) => this.#buyer(proxy, saleId, `buyer-${i}`));
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#running);
  }

  async #buyer(proxy: ProxyProcess, saleId: string, buyer: string): Promise<void> {
    const sale = `${proxy.url}/api/v1/sales/${saleId}`;
    const purchase = { method: "POST", body: '{"quantity":1}' };
    const tls = { ca: testCertificate().text };
    for (let i = 0; !this.#over; i++) {
      const headers = { "x-api-key": apiKey, "x-user-id": `${buyer}-${i}`, "content-type": "application/json", "idempotency-key": "one" };
      await this.#hear(201, (keepalive) => fetch(`${sale}/purchases`, { ...purchase, headers, tls, keepalive }));
      await this.#hear(200, (keepalive) => fetch(sale, { tls, keepalive }));
      await pause(20);
    }
  }

  async #hear(yes: number, ask: (keepalive: boolean) => Promise<Response>): Promise<void> {
    for (const isLast of [false, true]) {
      try {
        const answer = await ask(!isLast);
        const text = await answer.text();
        if (answer.status !== yes) this.others.push(`${answer.status} ${text}`);
        this.heard += 1;
        return;
      } catch (error) {
        this.silences += 1;
        if (isLast) this.others.push(String(error));
      }
    }
  }
}

/** Waits for so many answers more. */
const listenFor = (load: Load, answers: number) => {
  const until = load.heard + answers;
  return waitFor(`${answers} answers more`, () => load.heard >= until);
};

async function begin(kind: ProxyKind, env: Readonly<Record<string, string>> = {}) {
  const { places, saleId } = await twoPlaces(env);
  const proxy = await ProxyProcess.start(kind, { upstreams: places.map(({ at }) => at) });
  const load = new Load(proxy, saleId);
  await listenFor(load, 50);
  return { places, proxy, load };
}

test.skipIf(noProxy)(
  "[G9] two servers are restarted one after the other: who is set aside gets nothing new, and nobody hears of it",
  async () => {
    await everyProxy(async (kind) => {
      const { places, proxy, load } = await begin(kind);
      for (const [i, place] of places.entries()) {
        expect([kind, (await place.asked()) > 0]).toEqual([kind, true]);
        await proxy.setAside(i);
        // What was on its way is answered by then.
        await listenFor(load, 12);
        const asked = await place.asked();
        await listenFor(load, 50);
        expect([kind, await place.asked()]).toEqual([kind, asked]);
        expect([kind, await place.server?.stop()]).toEqual([kind, 0]);
        await place.start();
        await proxy.takeBack(i);
        await waitFor("it is asked again", async () => (await place.asked()) > 0);
      }
      await load.stop();
      expect([kind, load.others.slice(0, 3)]).toEqual([kind, []]);
      // nginx closes idle connections when it is reloaded, whoever is about to use them; see docs/deployment.md.
      if (kind === "haproxy") expect(load.silences).toBe(0);
    });
  },
  60_000,
);

test.skipIf(noProxy)(
  "[G9] control: a server that just stops turns away those who are sent to it",
  async () => {
    await everyProxy(async (kind) => {
      const { places, load } = await begin(kind);
      expect(await places[0].server?.stop()).toBe(0);
      await listenFor(load, 50);
      await load.stop();
      expect([kind, load.others.length > 0]).toEqual([kind, true]);
      expect([kind, load.others.filter((text) => !text.includes('"draining"')).slice(0, 3)]).toEqual([kind, []]);
    });
  },
  60_000,
);

/** Whether haproxy's own look at a server's health keeps new requests from it: the sixth column, 0 for stopped. */
async function isAside(proxy: ProxyProcess, index: number): Promise<boolean> {
  const lines = (await proxy.tell("show servers state doorbuster")).split("\n").filter((line) => /^\d+ doorbuster /.test(line));
  return lines[index]?.split(" ")[5] === "0";
}

test.skipIf(!installedProxies.includes("haproxy"))(
  "[G9] haproxy sees by itself who is leaving: a server that gives notice is restarted without a command, and nobody hears of it",
  async () => {
    const { places, proxy, load } = await begin("haproxy", { DOORBUSTER_DRAIN_NOTICE_MS: "3000" });
    const [place] = places;
    const stopped = place.server?.stop();
    await waitFor("haproxy has seen it", () => isAside(proxy, 0), { withinMs: 2_500 });
    await listenFor(load, 12);
    const asked = await place.asked();
    await listenFor(load, 20);
    expect(await place.asked()).toBe(asked);
    expect(await stopped).toBe(0);
    await place.start();
    await waitFor("it is asked again", async () => (await place.asked()) > 0);
    await load.stop();
    expect([load.others.slice(0, 3), load.silences]).toEqual([[], 0]);
  },
  60_000,
);
