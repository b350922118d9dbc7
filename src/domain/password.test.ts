import { expect, test } from "bun:test";
import { passwordLengthMax, problemOfPassword } from "./password.ts";

const problemOf = (password: string, username = "alice") => problemOfPassword(password, username)?.problem;

test.each([
  "password1234",
  "Password2024!",
  "P@ssw0rd2024",
  "p4ssw0rd!!!!",
  "qwertyuiop12",
  "123456789012",
  "098765432109",
  "abcdefghijkl",
  "lkjhgfdsapoi",
  "aaaaaaaaaaaa",
  "abcabcabcabc",
  "1212121212121212",
  "1q2w3e4r5t6y",
  "zaq12wsxcde3",
  "iloveyou1234",
  "iloveyoupassword",
  "correcthorsebatterystaple",
  "administrator1",
  "Winter2024!!",
  "letmein12345",
  "monkey123456",
  "welcome-2-doorbuster",
  "我爱你我爱你我爱你我爱你",
])("[AC2] %p is guessed first", (password) => expect(problemOf(password)).toContain("guessed first"));

test.each([
  "tide-lamp-47-orbit",
  "gT7$kd02mQx!",
  "pass8471930264718",
  "kettle under the blue moon",
  "我爱你中国人民万岁万岁啊呀",
  "            x",
  "x".repeat(6) + "y".repeat(6) + "zq",
  "Lorem ipsum 1 dolor",
])("[AC2] %p is good enough, without rules about digits and signs", (password) => expect(problemOf(password)).toBeUndefined());

test("[AC2] length is counted in characters, between 12 and 128", () => {
  const good = "kv5 tq8 zr2 m";
  expect(problemOf(good.slice(0, 11))).toBe("must have at least 12 characters");
  expect(problemOf(good.slice(0, 12))).toBeUndefined();
  const emoji = "🌊🪔🛰🍋🎻🧭🪁🦔🏔🧵🫖🪐";
  expect(problemOf(emoji)).toBeUndefined();
  expect(problemOf(Array.from(emoji).slice(1).join(""))).toBe("must have at least 12 characters");
  const long = Array.from({ length: passwordLengthMax }, (_, i) => String.fromCharCode(97 + ((i * i) % 26))).join("");
  expect(problemOf(long)).toBeUndefined();
  expect(problemOf(`${long}x`)).toBe("must have at most 128 characters");
  expect(problemOf("x".repeat(1_000_000))).toBe("must have at most 128 characters");
});

test("[AC2] the username does not stand in it, however it is written", () => {
  expect(problemOf("my-name-is-ALICE-99")).toBe("must not contain the username");
  expect(problemOf("ＡＬＩＣＥ-in-the-woods")).toBe("must not contain the username");
  // A short one stands in many a good password by chance.
  expect(problemOf("gT7$kd02mQx!", "kd0")).toBeUndefined();
});
