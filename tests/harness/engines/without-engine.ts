/** A test file for availability.test.ts, which runs it: groups that need an engine which cannot be had here, beside one that needs none. */
import { describe, expect, test } from "bun:test";
import { decide, engineKinds, tell } from "./availability.ts";
import { describeDecided } from "./describe-with-engine.ts";

const isCi = process.env["CI"] === "true";
const decision = decide(engineKinds.rabbitmq, "own", { isLinux: true, hasPrograms: false, mayInstall: false, isCi });
for (const again of [decision, { ...decision }]) tell("rabbitmq", again);

describeDecided(decision, "a group", () => {
  test("one", () => expect(true).toBe(false));
  describe("within", () => test("two", () => expect(true).toBe(false)));
});
describeDecided(decision, "another group", () => test("three", () => expect(true).toBe(false)));
test("without an engine", () => expect(true).toBe(true));
