/** What a server does when its disk stalls, and when it is full. Real file systems, so root on Linux is needed. */
import { afterEach, expect, test } from "bun:test";
import { appendFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../harness/cleanup.ts";
import { ServerProcess, type ServerOptions } from "../harness/server-process.ts";
import { Shop, type Answer } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { ext4, mayFreeze, mayMount, tempFolder, tmpfs, type FreezableVolume } from "../harness/volumes.ts";
import { pause, waitFor } from "../harness/wait.ts";

afterEach(cleanUp);

const stallMs = 2_000;
const waitingBuyers = 20;

/** A sale whose one unit is sold: everybody else is refused from memory. */
async function soldOutSale(shop: Shop): Promise<string> {
  const saleId = await shop.liveSale({ stock: 1 });
  const { data } = await shop.buy(saleId, "first", { key: "first" });
  expect((await shop.payExternally(data)).status).toBe(201);
  const refused = await shop.buy(saleId, "second");
  expect([refused.status, refused.reason]).toEqual([409, "sold_out"]);
  return saleId;
}

/** Says yes before it is durable: it works beside the volume, so neither a stalled nor a full one stops it. */
const planted = (): Partial<ServerOptions> => ({
  entry: ["tests/nemesis/planted-server.ts"],
  env: { PLANTED_FOLDER: `${tempFolder().path}/` },
});

type Stall = {
  readonly refused: number;
  readonly acceptedMeanwhile: number;
  readonly answers: readonly Answer[];
  /** What each heard when it asked again under its key, once the disk went on. */
  readonly repeats: readonly Answer[];
  readonly held: number | undefined;
  readonly exitCode: number;
  /** Buyers whom the store did not know: how many had an answer before the thaw, and what it was. */
  readonly strangersAnswered: number;
  readonly strangersHeard: readonly Answer[];
};

/** Freezes the data's file system for two seconds while some wait for a yes and others are refused. */
async function stall(
  dataDir: string,
  { freeze, thaw }: Pick<FreezableVolume, "freeze" | "thaw">,
  options: Partial<ServerOptions> & { readonly strangers?: number } = {},
): Promise<Stall> {
  const server = await ServerProcess.start({ dataDir, ...options });
  const shop = new Shop(() => server.url);
  const soldOut = await soldOutSale(shop);
  const live = await shop.liveSale({ stock: 100 });
  const minted = await shop.post("/api/v1/tokens", { body: { user_id: "token-holder" } });
  const bearer = { authorization: `Bearer ${String(minted.data["token"])}` };
  expect((await shop.buy(live, "regular")).status).toBe(201);
  const names = Array.from({ length: waitingBuyers }, (_, buyer) => `waiting-${buyer}`);
  // Known to the store beforehand: what is watched is the wait for a purchase, not for a new buyer's number.
  for (const name of names) expect((await shop.post("/api/v1/tokens", { body: { user_id: name } })).status).toBe(201);
  let refusals = 0;
  let accepted = 0;
  let acceptedMeanwhile = 0;
  let waiting: Promise<Answer>[] = [];
  let strangers: Promise<Answer>[] = [];
  let strangersMeanwhile = 0;
  let strangersAnswered = 0;
  freeze();
  try {
    waiting = names.map((name) => shop.buy(live, name, { key: name }));
    strangers = Array.from({ length: options.strangers ?? 0 }, (_, i) => shop.buy(live, `stranger-${i}`, { key: `stranger-${i}` }));
    for (const answer of strangers)
      answer.then(
        () => (strangersMeanwhile += 1),
        () => {},
      );
    for (const answer of waiting)
      answer.then(
        ({ status }) => (accepted += status === 201 ? 1 : 0),
        () => {},
      );
    const untilMs = performance.now() + stallMs;
    while (performance.now() < untilMs) {
      const signal = AbortSignal.timeout(1_500);
      const [refused, holder, alive, time] = await Promise.all([
        // A buyer named by server key whom the server has met, and one with a token. (A stranger's refusal reads the
        // store once, which a frozen file system stops; see the full disk.)
        shop.buy(soldOut, "regular", { signal }),
        shop.post(`/api/v1/sales/${soldOut}/purchases`, { anonymous: true, headers: bearer, body: { quantity: 1 }, signal }),
        shop.get("/livez", { anonymous: true, signal }),
        shop.get("/api/v1/time", { anonymous: true, signal }),
      ]);
      for (const { status, reason } of [refused, holder]) expect([status, reason]).toEqual([409, "sold_out"]);
      expect([alive.status, time.status]).toEqual([200, 200]);
      refusals += 1;
      await pause(20);
    }
    acceptedMeanwhile = accepted;
    strangersAnswered = strangersMeanwhile;
  } finally {
    thaw();
  }
  const answers = await Promise.all(waiting);
  const strangersHeard = await Promise.all(strangers);
  const repeats = await Promise.all(names.map((name) => shop.buy(live, name, { key: name })));
  const held = (await shop.stock(live))["held"];
  const exitCode = await server.stop();
  return { refused: refusals, acceptedMeanwhile, answers, repeats, held, exitCode, strangersAnswered, strangersHeard };
}

test.skipIf(!mayFreeze())(
  "an fsync that stalls for 2 s: refusals, time and liveness go on, nothing is accepted meanwhile, all who wait get their answer",
  async () => {
    const volume = ext4(64);
    const dataDir = join(volume.path, "data");
    const { refused, acceptedMeanwhile, answers, held, exitCode } = await stall(dataDir, volume);
    expect(exitCode).toBe(0);
    expect(acceptedMeanwhile).toBe(0);
    expect(refused).toBeGreaterThan(10);
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: waitingBuyers }, () => 201));
    expect(held).toBe(waitingBuyers + 1);
    const verdict = await verifyStore(dataDir);
    expect(verdict.problems).toEqual([]);
    expect(verdict.verdict).not.toBe("invalid");
  },
  { timeout: 60_000 },
);

test.skipIf(!mayFreeze())(
  "negative control: a server that does not wait for its disk is seen to accept while the disk stalls",
  async () => {
    const volume = ext4(64);
    const { acceptedMeanwhile } = await stall(join(volume.path, "data"), volume, planted());
    expect(acceptedMeanwhile).toBe(waitingBuyers);
  },
  { timeout: 60_000 },
);

test.skipIf(!mayFreeze())(
  "[I8] a stall beyond the answer's time: callers hear that it is unknown or was not tried, never no; a repeat has one effect",
  async () => {
    const volume = ext4(64);
    const dataDir = join(volume.path, "data");
    const hasty = { env: { DOORBUSTER_ANSWER_TIMEOUT_MS: "400" }, strangers: 5 };
    const { acceptedMeanwhile, answers, repeats, held, strangersAnswered, strangersHeard } = await stall(dataDir, volume, hasty);
    expect(acceptedMeanwhile).toBe(0);
    // A stranger's number has to be written or read first: that wait has an end, too.
    expect(strangersAnswered).toBe(5);
    for (const { status } of strangersHeard) expect([503, 504]).toContain(status);
    for (const { status, reason } of answers) expect([status, reason]).toEqual(status === 504 ? [504, "outcome_unknown"] : [503, "busy"]);
    expect(answers.some(({ status }) => status === 504)).toBe(true);
    expect(repeats.map(({ status }) => status)).toEqual(Array.from({ length: waitingBuyers }, () => 201));
    expect(held).toBe(waitingBuyers + 1);
    expect((await verifyStore(dataDir)).problems).toEqual([]);
  },
  { timeout: 60_000 },
);

test.skipIf(!mayFreeze())(
  "negative control: with more patience than the stall lasts, strangers are seen to wait; a server that does not wait is seen to accept",
  async () => {
    const calm = ext4(64);
    expect((await stall(join(calm.path, "data"), calm, { strangers: 5 })).strangersAnswered).toBe(0);
    const volume = ext4(64);
    const { entry, env } = planted();
    const hasty = { entry, env: { ...env, DOORBUSTER_ANSWER_TIMEOUT_MS: "400" } };
    expect((await stall(join(volume.path, "data"), volume, hasty)).acceptedMeanwhile).toBe(waitingBuyers);
  },
  { timeout: 60_000 },
);

/** Fills a file system to the last byte; returns the ballast's path. */
function fill(folder: string): string {
  const path = join(folder, "ballast");
  for (const bytes of [1_048_576, 65_536, 4_096, 512]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(bytes, 1));
    } catch {
      // No room for a piece of this size: on to smaller ones.
    }
  }
  return path;
}

/** Buys until ten were refused; what is already allotted to the write-ahead log may still take a few before. */
async function buyUntilRefused(shop: Shop, saleId: string, tell: (answer: Answer) => void, attemptsMax = 2_000): Promise<number> {
  let refused = 0;
  for (let attempt = 0; attempt < attemptsMax && refused < 10; attempt++) {
    const answer = await shop.buy(saleId, `buyer-${attempt}`, { key: `k${attempt}` });
    if (answer.status !== 201) refused += 1;
    tell(answer);
  }
  return refused;
}

test.skipIf(!mayMount())(
  "a full disk: purchases are refused cleanly, reads go on, and once there is room it sells again",
  async () => {
    const volume = tmpfs(24);
    const dataDir = join(volume.path, "data");
    const server = await ServerProcess.start({ dataDir });
    const shop = new Shop(() => server.url);
    const soldOut = await soldOutSale(shop);
    const live = await shop.liveSale({ stock: 50_000, per_buyer_limit: 10_000 });
    const first = await shop.buy(live, "early", { key: "early" });
    expect(first.status).toBe(201);
    const ballast = fill(volume.path);
    const accepted: Answer[] = [first];
    const refused: Answer[] = [];
    await buyUntilRefused(shop, live, (answer) => (answer.status === 201 ? accepted : refused).push(answer));
    expect(refused.map(({ status, reason }) => [status, reason])).toEqual(Array.from({ length: 10 }, () => [503, "storage_full"]));
    expect(refused[0]?.headers.get("retry-after")).not.toBeNull();
    expect((await shop.get(`/api/v1/orders/${String(first.data["id"])}`)).status).toBe(200);
    expect((await shop.get(`/api/v1/sales/${live}`)).status).toBe(200);
    expect((await shop.get("/livez")).status).toBe(200);
    // Strangers are refused and read without anything being written for them.
    const stranger = await shop.buy(soldOut, "a-stranger");
    expect([stranger.status, stranger.reason]).toEqual([409, "sold_out"]);
    expect((await shop.get("/api/v1/orders", { buyer: "another-stranger" })).data["total"]).toBe(0);
    expect((await shop.buy(live, "early", { key: "early" })).text).toBe(first.text);
    truncateSync(ballast, 0);
    rmSync(ballast);
    const again = await waitFor("a yes after there is room", async () => {
      const answer = await shop.buy(live, "after", { key: "after" });
      return answer.status === 201 && answer;
    });
    accepted.push(again);
    const readable = await Promise.all(accepted.map(({ data }) => shop.get(`/api/v1/orders/${String(data["id"])}`)));
    expect(readable.every(({ status }) => status === 200)).toBe(true);
    expect((await shop.stock(live))["held"]).toBe(accepted.length);
    expect(await server.stop()).toBe(0);
    const verdict = await verifyStore(dataDir);
    expect(verdict.problems).toEqual([]);
    expect(verdict.verdict).not.toBe("invalid");
  },
  { timeout: 90_000 },
);

test.skipIf(!mayMount())(
  "negative control: a server that does not wait for its disk is seen to accept on a full one",
  async () => {
    const volume = tmpfs(24);
    const server = await ServerProcess.start({ dataDir: join(volume.path, "data"), ...planted() });
    const shop = new Shop(() => server.url);
    const live = await shop.liveSale({ stock: 50_000 });
    fill(volume.path);
    expect(await buyUntilRefused(shop, live, () => {}, 200)).toBe(0);
    await server.kill();
  },
  { timeout: 60_000 },
);
