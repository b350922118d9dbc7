import { expect, test } from "bun:test";
import { SystemTasks } from "./system-tasks.ts";

const tasks = new SystemTasks();

test("a sleep is never shorter than asked for", async () => {
  for (const ms of [0, 1, 3, 7]) {
    const startMs = performance.now();
    await tasks.sleep(ms);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(ms);
  }
});

test("a sleep ends when its signal aborts, and at once when it already has", async () => {
  const stop = new AbortController();
  const asleep = tasks.sleep(3_600_000, stop.signal);
  stop.abort();
  await asleep;
  await tasks.sleep(3_600_000, stop.signal);
});

test("a wait longer than a timer can hold does not fire at once", async () => {
  let fired = false;
  const cancel = tasks.after(2 ** 31 + 1_000, () => (fired = true));
  await tasks.sleep(5);
  expect(fired).toBe(false);
  cancel();
});

test("a cancelled task does not run", async () => {
  let ran = false;
  tasks.after(1, () => (ran = true))();
  await tasks.sleep(5);
  expect(ran).toBe(false);
});

test("soon runs after the present turn", async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    tasks.soon(() => {
      order.push("soon");
      resolve();
    });
    void Promise.resolve().then(() => order.push("microtask"));
    order.push("now");
  });
  expect(order).toEqual(["now", "microtask", "soon"]);
});
