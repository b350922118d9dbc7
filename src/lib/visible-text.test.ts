import { expect, test } from "bun:test";
import { visibleText } from "./visible-text.ts";

test("a terminal is told nothing but letters and line breaks", () => {
  expect(visibleText("a\u001b[31mb\u0007\u009bc\r\u202ed\u2066\nünï 秒杀 👩‍💻")).toBe(
    "a\uFFFD[31mb\uFFFD\uFFFDc\uFFFD\uFFFDd\uFFFD\nünï 秒杀 👩‍💻",
  );
});
