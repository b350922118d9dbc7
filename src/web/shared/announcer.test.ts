import { describe, expect, test } from "bun:test";
import { manualTimers } from "../../../tests/kit/manual-timers.ts";
import { Announcer, announceGapMs } from "./announcer.ts";

describe("[SF10] what is said aloud", () => {
  test("is said at once, then at most each five seconds, and then the newest", () => {
    const { timers, pass, nowMs } = manualTimers();
    const said: string[] = [];
    const announcer = new Announcer((text) => said.push(text), nowMs, timers);
    for (const text of ["a", "b", "c"]) announcer.say(text);
    expect(said).toEqual(["a"]);
    pass(announceGapMs);
    expect(said).toEqual(["a", "c"]);
    pass(announceGapMs * 3);
    expect(said).toEqual(["a", "c"]);
    announcer.say("d");
    expect(said).toEqual(["a", "c", "d"]);
  });

  test("what was asked for is said at once", () => {
    const { timers, nowMs } = manualTimers();
    const said: string[] = [];
    const announcer = new Announcer((text) => said.push(text), nowMs, timers);
    announcer.say("a");
    announcer.answer("b");
    expect(said).toEqual(["a", "b"]);
  });
});
