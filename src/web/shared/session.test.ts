import { describe, expect, test } from "bun:test";
import type { Ask, Told } from "./api.ts";
import { Session } from "./session.ts";
import { memoryStorage } from "./storage.ts";

const account = { id: "7", username: "ann", display_name: null, role: "buyer", merchant: null, totp: false, created_at: "" };
const token = (n: number) => `h.${btoa(JSON.stringify({ iat: 1_000 }))}.s${n}`;
const grant = (n: number): Told<unknown> => ({
  kind: "done",
  status: 200,
  data: { account, token: token(n), expires_at: new Date(1_600_000).toISOString(), refresh_token: null },
});
const no = (status: number, reason: string): Told<unknown> => ({
  kind: "no",
  status,
  problem: { reason, message: "" },
  retryAfterMs: undefined,
});

function world(answers: Readonly<Record<string, readonly Told<unknown>[]>>, signedIn = true) {
  const storage = memoryStorage();
  if (signedIn) storage.set("doorbuster.signed-in", "1");
  const asked: (readonly [path: string, token: string | undefined])[] = [];
  const left = new Map(Object.entries(answers).map(([path, all]) => [path, [...all]]));
  const at = { ms: 0 };
  const session = new Session({
    storage,
    nowMs: () => at.ms,
    alone: (run) => run(),
    call: async (path: string, ask?: Ask) => {
      asked.push([path, ask?.token]);
      return (left.get(path)?.shift() ?? { kind: "silence" }) as never;
    },
  });
  return { session, asked, at, storage };
}
const refresh = "/api/v1/auth/refresh";

describe("[SF13] who is signed in", () => {
  test("strangers ask nothing", async () => {
    const { session, asked } = world({}, false);
    expect((await session.find()).kind).toBe("nobody");
    expect(asked).toEqual([]);
  });

  test("those who ask at once are one refresh", async () => {
    const { session, asked } = world({ [refresh]: [grant(1)] });
    const found = await Promise.all([session.find(), session.find(), session.find()]);
    expect(found.map(({ kind }) => kind)).toEqual(["account", "account", "account"]);
    expect(asked).toHaveLength(1);
  });

  test("a token is renewed before its end, by how long it lives and not by the client's clock", async () => {
    const { session, asked, at } = world({ [refresh]: [grant(1), grant(2)] });
    await session.find();
    at.ms = 539_000;
    await session.find();
    expect(asked).toHaveLength(1);
    at.ms = 541_000;
    expect(await session.find()).toMatchObject({ token: token(2) });
  });

  test("a session that is over is nobody's, and is not asked for again", async () => {
    const { session, storage } = world({ [refresh]: [no(401, "session_over")] });
    expect((await session.find()).kind).toBe("nobody");
    expect(storage.get("doorbuster.signed-in")).toBeUndefined();
  });

  test("a server that does not answer says nothing about who it is", async () => {
    const { session, storage } = world({ [refresh]: [{ kind: "silence" }, no(503, "busy"), grant(1)] });
    expect((await session.find()).kind).toBe("unknown");
    expect((await session.call("/x")).kind).toBe("silence");
    expect(storage.get("doorbuster.signed-in")).toBe("1");
    expect((await session.find()).kind).toBe("account");
  });

  test("a token that the server does not know is replaced once, and the question asked again", async () => {
    const ok: Told<unknown> = { kind: "done", status: 200, data: 1 };
    const { session, asked } = world({ [refresh]: [grant(1), grant(2)], "/x": [no(401, "unauthenticated"), ok] });
    expect(await session.call<number>("/x")).toEqual(ok as Told<number>);
    expect(asked).toEqual([
      [refresh, undefined],
      ["/x", token(1)],
      [refresh, undefined],
      ["/x", token(2)],
    ]);
  });

  test("a banned account is told from nobody", async () => {
    const { session } = world({ [refresh]: [no(403, "account_banned")] });
    expect((await session.find()).kind).toBe("banned");
  });
});
