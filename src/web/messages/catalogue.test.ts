import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { translator, type Message } from "../shared/translate.ts";
import { messagesOf, type Group } from "./catalogue.ts";
import { en } from "./en.ts";
import { zhCn } from "./zh-cn.ts";

// The keys of a catalogue are its groups.
const groups = Object.keys(en) as Group[];
const flat = (catalogue: Readonly<Record<string, Readonly<Record<string, Message>>>>) =>
  Object.entries(catalogue).flatMap(([group, messages]) =>
    Object.entries(messages).map(([key, message]) => [`${group}.${key}`, message] as const),
  );
const texts = (message: Message) => (typeof message === "string" ? [message] : Object.values(message));
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name).toSorted();

describe("[SF9] the catalogues", () => {
  const [english, chinese] = [new Map(flat(en)), new Map(flat(zhCn))];

  test("have the same messages, with the same values, none empty", () => {
    expect([...chinese.keys()].toSorted()).toEqual([...english.keys()].toSorted());
    for (const [key, message] of english) {
      const other = chinese.get(key) ?? "";
      for (const text of [...texts(message), ...texts(other)]) expect([key, text.trim()]).toEqual([key, text]);
      for (const text of [...texts(message), ...texts(other)]) expect(text.length).toBeGreaterThan(0);
      const wanted = new Set(texts(message).flatMap(placeholders));
      expect([key, ...new Set(texts(other).flatMap(placeholders))].toSorted()).toEqual([key, ...wanted].toSorted());
    }
  });

  test("a key belongs to one group: a page's groups become one table", () => {
    const keys = groups.flatMap((group) => Object.keys(en[group]));
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  });

  test("Chinese messages are Chinese, English ones English", () => {
    const mayBeForeign = ["common.brand", "common.other_language"];
    const han = /\p{Script=Han}/u;
    for (const [key, message] of chinese)
      if (!mayBeForeign.includes(key))
        for (const text of texts(message)) expect([key, han.test(text) || /^\{|\}$/.test(text)]).toEqual([key, true]);
    for (const [key, message] of english)
      if (!mayBeForeign.includes(key)) for (const text of texts(message)) expect([key, han.test(text)]).toEqual([key, false]);
  });

  test("every message is said somewhere", () => {
    const root = join(import.meta.dirname, "../..");
    const sources = ["web", "http/pages"].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("messages/"))
        .map((name) => readFileSync(join(root, folder, name), "utf8")),
    );
    const all = sources.join("\n");
    // Families whose last word is a state of the API's.
    const families = [...all.matchAll(/`(\w+_)\$\{/g)].map(([, start = ""]) => start);
    const suffixed = [...all.matchAll(/\$\{\w+\}(_\w+)`/g)].map(([, end = ""]) => end);
    const unsaid = groups
      .flatMap((group) => Object.keys(en[group]))
      .filter(
        (key) =>
          !all.includes(`"${key}"`) && !families.some((start) => key.startsWith(start)) && !suffixed.some((end) => key.endsWith(end)),
      );
    expect(unsaid).toEqual([]);
  });
});

describe("[SF9] a message", () => {
  const t = translator("en", messagesOf("en", ["common", "sale"]));
  test("takes its values, by plural, numbers as the language writes them", () => {
    expect(t("try_later", { n: 1 })).toBe("Please try again in 1 second");
    expect(t("try_later", { n: 1_234 })).toBe("Please try again in 1,234 seconds");
    expect(t("stock_bar", { available: 3, issued: 10 })).toBe("3 of 10 available");
  });
  test("shows what it lacks", () => {
    expect(t("starts_at")).toBe("Starts {time}");
    expect(translator<"gone">("en", {})("gone")).toBe("gone");
  });
  test("a value is no pattern", () => expect(t("told_refused", { reason: "{n} $& $1" })).toBe("Not this time: {n} $& $1"));
});
