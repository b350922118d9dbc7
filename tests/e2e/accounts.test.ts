/** Accounts on real servers, of both runtimes: what a start, a restart, a command and a flood do to them. */
import { afterEach, describe, expect, test } from "bun:test";
import { cleanUp } from "../harness/cleanup.ts";
import { runCommand } from "../harness/run-command.ts";
import { ServerProcess, type Runtime } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { verifyStore } from "../harness/verify-store.ts";
import { tempFolder } from "../harness/volumes.ts";
import { goodPassword } from "../kit/account-world.ts";

afterEach(cleanUp);
const runtimes: readonly Runtime[] = ["bun", "node"];
const shownPassword = /made the first admin "admin" with the password "([\w-]{24})"/;

async function open(runtime: Runtime, dataDir: string, env: Record<string, string> = {}) {
  const server = await ServerProcess.start({ dataDir, runtime, env });
  const shop = new Shop(() => server.url);
  const post = (path: string, body: unknown, bearer?: string) =>
    shop.post(path, { body, anonymous: true, ...(bearer === undefined ? {} : { headers: { authorization: `Bearer ${bearer}` } }) });
  const logIn = (username: string, password = goodPassword) => post("/api/v1/auth/login", { username, password });
  return { server, shop, post, logIn, shown: () => server.log.flatMap((line) => shownPassword.exec(line)?.[1] ?? []) };
}

describe.each(runtimes)("on %s", (runtime) => {
  test("[AC14] the first admin's password is shown once, on no line of the log, and lets in; a reset makes another", async () => {
    const dataDir = tempFolder().path;
    const first = await open(runtime, dataDir);
    const [password = "", ...more] = first.shown();
    expect(more).toEqual([]);
    expect(first.server.log.filter((line) => line.startsWith("{") && line.includes(password))).toEqual([]);
    expect((await first.logIn("admin", password)).status).toBe(200);
    expect(await first.server.stop()).toBe(0);
    const again = await open(runtime, dataDir);
    expect(again.shown()).toEqual([]);
    expect((await again.logIn("admin", password)).status).toBe(200);
    expect(await again.server.stop()).toBe(0);
    const reset = await runCommand(["admin", "reset-password", "--data-dir", dataDir], { runtime });
    expect([reset.code, reset.out.trim().length]).toEqual([0, 24]);
    const last = await open(runtime, dataDir);
    expect((await last.logIn("admin", password)).status).toBe(401);
    expect((await last.logIn("admin", reset.out.trim())).status).toBe(200);
    expect(await last.server.stop()).toBe(0);
    expect((await runCommand(["admin", "reset-password", "nobody", "--data-dir", dataDir], { runtime })).code).toBe(1);
  }, 60_000);

  test("[AC14] a start that fails after making the first admin has shown its password", async () => {
    const dataDir = tempFolder().path;
    const holder = await open(runtime, tempFolder().path);
    const taken = ServerProcess.spawn({ dataDir, runtime, env: { DOORBUSTER_HTTP_PORT: new URL(holder.server.url).port } });
    expect(await taken.exited).toBe(1);
    const [password = ""] = taken.log.flatMap((line) => shownPassword.exec(line)?.[1] ?? []);
    const next = await open(runtime, dataDir);
    expect(next.shown()).toEqual([]);
    expect((await next.logIn("admin", password)).status).toBe(200);
    expect(await Promise.all([holder.server.stop(), next.server.stop()])).toEqual([0, 0]);
  }, 60_000);

  test("[E1] accounts, sessions and log-outs outlive the server", async () => {
    const dataDir = tempFolder().path;
    const first = await open(runtime, dataDir, { DOORBUSTER_ADMIN_USERNAME: "root", DOORBUSTER_ADMIN_PASSWORD: goodPassword });
    expect(first.shown()).toEqual([]);
    expect((await first.logIn("root")).data["totp_required"]).toBe(true);
    expect((await first.post("/api/v1/auth/register", { username: "ann", password: goodPassword })).status).toBe(201);
    const [stays, leaves] = [await first.logIn("ann"), await first.logIn("ann")];
    expect((await first.post("/api/v1/auth/logout", {}, String(leaves.data["token"]))).status).toBe(200);
    await first.server.kill();
    const second = await open(runtime, dataDir);
    const read = (bearer: unknown) =>
      second.shop.get("/api/v1/account", { anonymous: true, headers: { authorization: `Bearer ${String(bearer)}` } });
    expect((await read(stays.data["token"])).data["username"]).toBe("ann");
    expect((await read(leaves.data["token"])).status).toBe(401);
    const refreshed = await second.post("/api/v1/auth/refresh", { refresh_token: stays.data["refresh_token"] });
    expect((await read(refreshed.data["token"])).status).toBe(200);
    expect((await second.post("/api/v1/auth/refresh", { refresh_token: leaves.data["refresh_token"] })).status).toBe(401);
    expect(await second.server.stop()).toBe(0);
  }, 60_000);

  test("[E3] a rotated token secret signs new tokens and still takes old ones", async () => {
    const dataDir = tempFolder().path;
    const first = await open(runtime, dataDir);
    const grant = async ({ shop }: typeof first) => String((await shop.post("/api/v1/tokens", { body: { user_id: "u-1" } })).data["token"]);
    const old = await grant(first);
    expect(await first.server.stop()).toBe(0);
    expect((await runCommand(["keys", "rotate", "--data-dir", dataDir], { runtime })).code).toBe(0);
    const second = await open(runtime, dataDir);
    const fresh = await grant(second);
    expect(fresh.split(".")[0]).not.toBe(old.split(".")[0]);
    for (const token of [old, fresh]) {
      const listed = await second.shop.get("/api/v1/orders", { anonymous: true, headers: { authorization: `Bearer ${token}` } });
      expect(listed.status).toBe(200);
    }
    expect(await second.server.stop()).toBe(0);
  }, 60_000);

  test("[AC4] while log-ins flood in, purchases go on, and whoever is not tried is told when to come again", async () => {
    const dataDir = tempFolder().path;
    const { server, shop, logIn } = await open(runtime, dataDir, { DOORBUSTER_SIGN_IN_PER_ADDRESS: "100000" });
    const saleId = await shop.liveSale({ stock: 300 });
    let flooding = true;
    const answers: { status: number; retryAfter: string | null }[] = [];
    const flood = Array.from({ length: 120 }, async (_, i) => {
      for (let n = 0; flooding && n < 50; n++) {
        const { status, headers } = await logIn(`nobody-${i}-${n}`);
        answers.push({ status, retryAfter: headers.get("retry-after") });
      }
    });
    const bought = await Promise.all(Array.from({ length: 300 }, (_, i) => shop.buy(saleId, `buyer-${i}`)));
    flooding = false;
    await Promise.all(flood);
    expect(bought.filter(({ status }) => status === 201)).toHaveLength(300);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]));
    expect(answers.filter(({ status, retryAfter }) => status === 503 && retryAfter === null)).toEqual([]);
    expect(await server.stop()).toBe(0);
    expect((await verifyStore(dataDir)).problems).toEqual([]);
  }, 60_000);
});
