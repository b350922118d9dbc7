import { describe, expect, test } from "bun:test";
import { memoryStorage } from "../shared/storage.ts";
import type { Told } from "../shared/api.ts";
import { Attempts, type AttemptDeps } from "./attempt.ts";

const purchase = { id: "5", state: "reserved" };
const done = (status = 201): Told<unknown> => ({ kind: "done", status, data: purchase });
const no = (status: number, reason: string, retryAfterMs?: number): Told<unknown> => ({
  kind: "no",
  status,
  problem: { reason, message: "" },
  retryAfterMs,
});
const silence: Told<unknown> = { kind: "silence" };
const absent = no(404, "purchase_unknown");

/** A server that answers these, in this order, to whatever is asked. */
function world(answers: readonly Told<unknown>[]) {
  const left = [...answers];
  const asked: { readonly what: "buy" | "look"; readonly key: string }[] = [];
  const waited: number[] = [];
  const at = { ms: 1_000_000 };
  const storage = memoryStorage();
  let keys = 0;
  const deps: AttemptDeps = {
    storage,
    call: async (path, ask) => {
      asked.push(ask?.method === "POST" ? { what: "buy", key: ask.key ?? "" } : { what: "look", key: path.split("/").at(-1) ?? "" });
      const next = left.shift();
      if (next === undefined) throw new Error("asked once more than it should");
      return next as never;
    },
    wait: async (ms) => {
      waited.push(ms);
      at.ms += ms;
    },
    random: () => 0.5,
    nowMs: () => at.ms,
    makeKey: () => `key${++keys}`,
  };
  return { attempts: new Attempts("1", "2", deps), again: () => new Attempts("1", "2", deps), asked, waited, at, storage, left };
}

const kinds = (asked: readonly { readonly what: string; readonly key: string }[]) => asked.map(({ what, key }) => `${what} ${key}`);

describe("[SF4] a click", () => {
  test.each([
    ["accepted", [done()], "accepted"],
    ["accepted by a cache", [done(202)], "accepted"],
    ["refused", [no(409, "sold_out")], "refused"],
    ["refused, over", [no(410, "ended")], "refused"],
    ["busy", [no(503, "busy", 1_000)], "not_tried"],
    ["limited", [no(429, "too_many", 1_000)], "not_tried"],
    ["nobody", [no(401, "unauthenticated")], "not_tried"],
  ] as const)("%s at once is definite, and the next click has another key", async (_, answers, kind) => {
    const { attempts, asked } = world([...answers, done()]);
    expect((await attempts.buy(1)).kind).toBe(kind);
    expect(attempts.isOpen).toBe(false);
    await attempts.buy(1);
    expect(kinds(asked)).toEqual(["buy key1", "buy key2"]);
  });

  test.each([
    ["accepted after all, found by key", [silence, done(200)], "accepted", ["buy", "look"]],
    ["not there yet, repeated, accepted", [silence, absent, done()], "accepted", ["buy", "look", "buy"]],
    ["not there, repeated, refused", [silence, absent, no(409, "all_taken")], "refused", ["buy", "look", "buy"]],
    ["the look-up is lost, too", [silence, silence, silence, done(200)], "accepted", ["buy", "look", "look", "look"]],
    ["unknown by the server's word", [no(504, "outcome_unknown"), done(200)], "accepted", ["buy", "look"]],
    ["a failure of the server", [no(500, "internal"), absent, done()], "accepted", ["buy", "look", "buy"]],
    [
      "busy when repeated is not definite",
      [silence, absent, no(503, "busy", 3_000), done(200)],
      "accepted",
      ["buy", "look", "buy", "look"],
    ],
  ] as const)("whose answer is lost: %s", async (_, answers, kind, what) => {
    const { attempts, asked, left } = world(answers);
    expect((await attempts.buy(1)).kind).toBe(kind);
    expect(kinds(asked)).toEqual(what.map((each) => `${each} key1`));
    expect(left).toEqual([]);
  });

  test("that is old is repeated no more: what is not there will not come", async () => {
    const { attempts, asked, at } = world([silence, silence, absent]);
    const buying = attempts.buy(1);
    at.ms += 70_000;
    expect((await buying).kind).toBe("nothing");
    expect(kinds(asked)).toEqual(["buy key1", "look key1", "look key1"]);
  });

  test("from before the page was opened anew keeps its key", async () => {
    const { attempts, again, asked } = world([silence, no(401, "unauthenticated"), done(200)]);
    expect((await attempts.buy(1)).kind).toBe("not_tried");
    expect(again().isOpen).toBe(true);
    expect(await again().resume()).toEqual({ kind: "accepted", purchase: purchase as never });
    expect(kinds(asked)).toEqual(["buy key1", "look key1", "look key1"]);
    expect(await again().resume()).toBeUndefined();
  });

  test("while one is open is that one: no second key", async () => {
    const { attempts, again, asked } = world([silence, no(401, "unauthenticated"), absent, done()]);
    await attempts.buy(1);
    expect((await again().buy(2)).kind).toBe("accepted");
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set(["key1"]));
  });

  test("waits longer each time, and not less than the server asks for", async () => {
    const { attempts, waited } = world([
      silence,
      silence,
      silence,
      no(503, "busy", 9_000),
      ...Array.from({ length: 4 }, () => silence),
      done(200),
    ]);
    await attempts.buy(1);
    expect(waited).toEqual([500, 1_000, 2_000, 9_000, 8_000, 8_000, 8_000, 8_000]);
  });

  test("the control: a click that gives up its key when nothing is heard buys twice", async () => {
    const { attempts, again, asked, storage } = world([silence, done()]);
    const lost = attempts.buy(1);
    storage.remove("doorbuster.attempt.2.1");
    await again().buy(1);
    await lost.catch(() => {});
    expect(new Set(asked.map(({ key }) => key)).size).toBe(2);
  });
});
