import { describe, expect, test } from "bun:test";
import { EventReader } from "./event-reader.ts";

const text =
  'retry: 2500\n\n: a comment\n\nevent: stock\nid: 7.live\ndata: {"available":1}\n\ndata: a\ndata:b\n\nevent: draining\r\ndata: {}\r\n\r\n';

describe("[SF7] the events of a stream", () => {
  test.each([1, 2, 3, 7, 1_000])("are the same however the stream is cut: pieces of %d", (size) => {
    const reader = new EventReader();
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
    expect(pieces.flatMap((piece) => reader.push(piece))).toEqual([
      { name: "stock", data: '{"available":1}' },
      { name: "message", data: "a\nb" },
      { name: "draining", data: "{}" },
    ]);
    expect([reader.lastId, reader.retryMs]).toEqual(["7.live", 2500]);
  });

  test("what a broken connection began is not completed by the next", () => {
    const reader = new EventReader();
    reader.push("event: stock\ndata: half");
    reader.reset();
    expect(reader.push("data: whole\n\n")).toEqual([{ name: "message", data: "whole" }]);
  });
});
