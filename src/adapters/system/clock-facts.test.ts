import { expect, test } from "bun:test";
import { watchClock, type Ask } from "./clock-facts.ts";

test("[H7] drift is how far the wall went from the steady clock between the two looks", async () => {
  const time = { wall: 1_000_000, steady: 50 };
  const facts = watchClock({ wallMs: () => time.wall, monotonicMs: () => time.steady, ask: async () => undefined });
  time.wall += 4_500;
  time.steady += 1_000;
  expect(await facts()).toEqual({
    wallMs: 1_004_500,
    wallText: "1970-01-01T00:16:44.500Z",
    driftMs: 3_500,
    overMs: 1_000,
    synchronised: undefined,
  });
});

const chrony = (leap: string) => `A29FC87B,192.0.2.1,3,1700000000.0,0.00001,0.0,0.0,1.2,0.0,0.1,0.01,0.001,64.2,${leap}\n`;
test.each<[string, Readonly<Record<string, string>>, boolean | undefined]>([
  ["systemd says yes", { timedatectl: "yes\n" }, true],
  ["systemd says no", { timedatectl: "no\n" }, false],
  ["systemd cannot say, chrony can", { timedatectl: "Failed to connect to bus\n", chronyc: chrony("Normal") }, true],
  ["chrony has no source", { chronyc: chrony("Not synchronised") }, false],
  ["the kernel says it is kept", { adjtimex: "         mode: 0\n       status: 8193\n" }, true],
  ["the kernel says it is not", { adjtimex: "       status: 64\n" }, false],
  ["nobody knows", {}, undefined],
])("whether the clock is kept: %s", async (_title, answers, expected) => {
  const ask: Ask = async (command) => answers[command];
  expect((await watchClock({ ask })()).synchronised).toBe(expected);
});

test("a command that is not there is no answer", async () => {
  const facts = await watchClock()();
  expect([true, false, undefined]).toContain(facts.synchronised);
});
