import { afterAll, describe, expect, test } from "bun:test";
import { SystemTasks } from "../system/system-tasks.ts";
import { argon2Cost, dummyHash, type HashWork } from "./argon2-work.ts";
import { inlinePasswords, ThreadedPasswords } from "./passwords.ts";

const cheap = { memoryKib: 64, passes: 1 };
const tasks = new SystemTasks();
const after = (ms: number, run: () => void) => tasks.after(ms, run);
const threaded = new ThreadedPasswords({ after, cost: cheap });
afterAll(() => threaded.close());

describe("on a thread", () => {
  test("[AC3] what is kept is an argon2id hash with its salt; the right password fits, others do not", async () => {
    const [one, two] = [await threaded.hash("kettle under the moon"), await threaded.hash("kettle under the moon")];
    if (one.kind !== "hash" || two.kind !== "hash") throw new Error("expected hashes");
    expect(one.hash).toStartWith("$argon2id$v=19$m=64,t=1,p=1$");
    expect(one.hash).not.toBe(two.hash);
    expect(await threaded.verify(one.hash, "kettle under the moon")).toEqual({ kind: "right", outdated: false });
    expect(await threaded.verify(one.hash, "kettle under the moom")).toEqual({ kind: "wrong" });
    expect(await threaded.verify(undefined, "kettle under the moon")).toEqual({ kind: "wrong" });
  });

  test("[AC4] a flood gets one at a time done, 50 wait, the rest are told busy", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => threaded.hash("kettle under the moon")));
    expect(answers.filter(({ kind }) => kind === "hash")).toHaveLength(51);
    expect(answers.filter(({ kind }) => kind === "busy")).toHaveLength(149);
    expect((await threaded.hash("again")).kind).toBe("hash");
  });

  test("[AC4] a thread that fails fails its job alone", async () => {
    await expect(threaded.verify("not a hash", "x")).rejects.toThrow("Hash a password");
    expect((await threaded.hash("again")).kind).toBe("hash");
  });
});

test("[AC3] today's cost is OWASP's least, and a hash made with less is outdated", async () => {
  expect(argon2Cost).toEqual({ memoryKib: 19_456, passes: 2 });
  const now = inlinePasswords();
  const older = await inlinePasswords(cheap).hash("kettle under the moon");
  if (older.kind !== "hash") throw new Error("expected a hash");
  expect(await now.verify(older.hash, "kettle under the moon")).toEqual({ kind: "right", outdated: true });
});

test("[AC3] without an account the same work is done: a comparison with a hash of today's cost", async () => {
  const done: HashWork[] = [];
  const passwords = new ThreadedPasswords({ after }, () => ({ work: async (work) => (done.push(work), false), close: () => {} }));
  await passwords.verify(undefined, "x");
  expect(done).toEqual([{ kind: "verify", hash: dummyHash(argon2Cost), password: "x" }]);
  expect(dummyHash(argon2Cost)).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
});
