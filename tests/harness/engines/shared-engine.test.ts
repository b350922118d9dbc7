import { expect, test } from "bun:test";
import { cleanUp } from "../cleanup.ts";
import { describeWithEngine, describeWithOwnEngine } from "./describe-with-engine.ts";
import { sharedEngine } from "./shared-engine.ts";

describeWithEngine("redis", "a shared engine", (engine) => {
  const outside = (() => {
    try {
      return engine().url;
    } catch (error) {
      return String(error);
    }
  })();

  test("is there in tests, not while they are described", async () => {
    expect(outside).toContain("within tests and hooks only");
    expect(engine().url).toStartWith("redis://");
    expect(await engine().database("words")).not.toBe(await engine().database("words"));
  });
});

describeWithOwnEngine("redis", "a shared engine of our own", () => {
  test("is the same for all, also for those who ask at once", async () => {
    const one = await sharedEngine("redis");
    expect(await sharedEngine("redis")).toBe(one);
    cleanUp();
    const [two, three] = await Promise.all([sharedEngine("redis"), sharedEngine("redis")]);
    expect(two).toBe(three);
    expect(two, "an engine that was released with everything").not.toBe(one);
    expect(await two.database("words")).not.toBe("");
  });
});
