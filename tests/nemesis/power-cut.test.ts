/** Power cuts: the disk is taken away in mid-sale with what was never synced, and the next server starts on what it held. */
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { SeededRandom } from "../../src/lib/seeded-random.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess, type ServerOptions } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { ext4, mayFreeze, type FreezableVolume } from "../harness/volumes.ts";
import { pause } from "../harness/wait.ts";

afterEach(cleanUp);

const seed = Number(process.env["POWER_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const cuts = Number(process.env["POWER_CUTS"] ?? 8);
const buyersAtOnce = 24;
const stormMs = { min: 40, max: 400 };

type Yes = { readonly id: string; readonly buyer: string };
type PowerRun = { readonly accepted: number; readonly lost: readonly string[]; readonly volume: FreezableVolume };

/** Storms a sale, cuts the power, and looks for every yes that was heard before; so many times. */
async function powerRun(times: number, options: Partial<ServerOptions> = {}): Promise<PowerRun> {
  const random = new SeededRandom(seed);
  const heard: Yes[] = [];
  let lost: string[] = [];
  let volume = ext4(64);
  let saleId = "";
  for (let cut = 0; cut <= times; cut++) {
    const server = await ServerProcess.start({ dataDir: join(volume.path, "data"), ...options });
    const shop = new Shop(() => server.url);
    if (cut === 0) saleId = await shop.liveSale({ stock: 1_000_000 });
    lost = await missing(shop, heard);
    if (cut === times || lost.length > 0) {
      await server.stop();
      break;
    }
    const storm = new AbortController();
    const buying = Array.from({ length: buyersAtOnce }, (_, lane) =>
      keepBuying({ shop, saleId, lane: `${cut}-${lane}`, heard, signal: storm.signal }),
    );
    await pause(random.between(stormMs.min, stormMs.max));
    server.child.kill("SIGSTOP");
    const known = heard.length;
    const after = volume.pullThePlug();
    storm.abort();
    await server.kill();
    await Promise.all(buying);
    heard.length = known;
    volume.release();
    volume = after;
  }
  return { accepted: heard.length, lost, volume };
}

type Lane = { readonly shop: Shop; readonly saleId: string; readonly lane: string; readonly heard: Yes[]; readonly signal: AbortSignal };

async function keepBuying({ shop, saleId, lane, heard, signal }: Lane): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const buyer = `b-${lane}-${i}`;
    try {
      const { status, data } = await shop.buy(saleId, buyer, { key: "k", signal });
      if (status === 201) heard.push({ id: String(data["id"]), buyer });
    } catch {
      // The power is gone: this answer was never heard.
    }
  }
}

/** What was said yes to and cannot be found. */
async function missing(shop: Shop, heard: readonly Yes[]): Promise<string[]> {
  const lost: string[] = [];
  for (let at = 0; at < heard.length; at += 50) {
    const part = heard.slice(at, at + 50);
    const found = await Promise.all(part.map(({ id, buyer }) => shop.get(`/api/v1/purchases/${id}`, { buyer })));
    lost.push(...part.filter((_, i) => found[i]?.status !== 200).map(({ id }) => id));
  }
  return lost;
}

test.skipIf(!mayFreeze())(
  `[I4] [I2] the power is cut ${cuts} times in mid-sale: POWER_SEED=${seed} POWER_CUTS=${cuts} bun test tests/nemesis/power-cut.test.ts`,
  async () => {
    const { accepted, lost, volume } = await powerRun(cuts);
    expect(lost).toEqual([]);
    expect(accepted).toBeGreaterThan(cuts * 10);
    const verdict = await verifyStore(join(volume.path, "data"));
    expect(verdict.problems).toEqual([]);
    expect(verdict.verdict).not.toBe("invalid");
  },
  { timeout: 120_000 },
);

test.skipIf(!mayFreeze())(
  "negative control: a server that says yes before the disk has it loses orders to a power cut, or does not come back",
  async () => {
    const planted = { entry: ["tests/nemesis/planted-server.ts"] };
    const outcome = await powerRun(3, planted).then(
      ({ lost }) => lost.length,
      () => "does not come back",
    );
    expect(outcome).not.toBe(0);
  },
  { timeout: 120_000 },
);
