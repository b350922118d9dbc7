import { describe, expect, test } from "bun:test";
import { parseSaleId } from "../../domain/ids.ts";
import { calendarFile } from "./calendar-file.ts";

const id = parseSaleId("123456789012345678")!;
const sale = { id, startsAtMs: Date.UTC(2030, 0, 31, 23, 59, 58), endsAtMs: Date.UTC(2030, 1, 1, 1), createdAtMs: Date.UTC(2030, 0, 1) };
const fileOf = (title: string, about = "about") => calendarFile(sale, { title, about });

/** As a calendar reads it: lines put together again, values out of their escapes. */
function read(file: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of file.replaceAll("\r\n ", "").split("\r\n").slice(0, -1)) {
    const [, name = "", value = ""] = /^([A-Z]+):(.*)$/s.exec(line) ?? [];
    const text = value.replaceAll(/\\([\\;,nN])/g, (_, sign: string) => (sign.toLowerCase() === "n" ? "\n" : sign));
    fields.set(name, [...(fields.get(name) ?? []), text]);
  }
  return fields;
}

describe("[SF19] a calendar file", () => {
  test("has the sale's window in UTC, one name for ever, and an alarm ten minutes before", () => {
    const fields = read(fileOf("Lamp"));
    expect(Object.fromEntries(fields)).toEqual({
      BEGIN: ["VCALENDAR", "VEVENT", "VALARM"],
      VERSION: ["2.0"],
      PRODID: ["-//Doorbuster//Doorbuster//EN"],
      CALSCALE: ["GREGORIAN"],
      UID: [`sale-${id}-${sale.createdAtMs}@doorbuster.invalid`],
      DTSTAMP: ["20300101T000000Z"],
      DTSTART: ["20300131T235958Z"],
      DTEND: ["20300201T010000Z"],
      SUMMARY: ["Lamp"],
      DESCRIPTION: ["about", "Lamp"],
      TRANSP: ["TRANSPARENT"],
      ACTION: ["DISPLAY"],
      TRIGGER: ["-PT10M"],
      END: ["VALARM", "VEVENT", "VCALENDAR"],
    });
  });

  test.each([
    ["short"],
    ['a, b; c \\ d: "e"'],
    ["two\nlines\r\nand\rthree"],
    ["明前龙井 250 克".repeat(20)],
    ["🏮".repeat(60)],
    ["x".repeat(200)],
    ["END:VEVENT\r\nBEGIN:VEVENT"],
  ])("has the name %j as the shop wrote it, in lines of 75 octets, none torn within a character", (name) => {
    const file = fileOf(name);
    expect(file).toEndWith("\r\n");
    expect(file.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const bytes = Buffer.from(file);
    for (let from = 0; from < bytes.length;) {
      const to = bytes.indexOf("\r\n", from);
      expect(to - from).toBeLessThanOrEqual(75);
      decoder.decode(bytes.subarray(from, to));
      from = to + 2;
    }
    expect(read(file).get("SUMMARY")).toEqual([name.replaceAll(/\r\n|\r/g, "\n")]);
    expect(file.match(/^BEGIN:VEVENT/gm)).toHaveLength(1);
  });

  test("a control character is left out", () => expect(read(fileOf("a\u0000b\u0007")).get("SUMMARY")).toEqual(["ab"]));
});
