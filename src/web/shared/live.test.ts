import { describe, expect, test } from "bun:test";
import type { Told } from "./api.ts";
import type { StreamEvent } from "./event-reader.ts";
import { LiveStream, type Hearing, type LiveDeps } from "./live.ts";

type Answer = { readonly status: number; readonly text?: string; readonly retryAfter?: string } | "refused";

/** A server that answers connections so, and polls so; then the stream is stopped. Waits pass at once and are written down. */
async function hear(answers: readonly Answer[], polls: readonly Told<unknown>[] = [], random = 0.5) {
  const events: StreamEvent[] = [];
  const hearings: Hearing[] = [];
  const waits: number[] = [];
  const lastIds: (string | null)[] = [];
  const order: string[] = [];
  const [left, pollsLeft] = [[...answers], [...polls]];
  const over = Promise.withResolvers<void>();
  const deps: LiveDeps = {
    random: () => random,
    wait: async (ms) => {
      waits.push(ms);
      if (left.length === 0 && pollsLeft.length === 0) {
        stream.stop();
        over.resolve();
      }
    },
    fetch: async (_, init) => {
      order.push("stream");
      lastIds.push(new Headers(init.headers).get("last-event-id"));
      const next = left.shift() ?? "refused";
      if (next === "refused") throw new TypeError("connection refused");
      return new Response(next.text ?? "", {
        status: next.status,
        headers: next.retryAfter === undefined ? {} : { "retry-after": next.retryAfter },
      });
    },
  };
  const stream = new LiveStream({
    url: "/events",
    headers: async () => ({}),
    onEvent: (event) => events.push(event),
    onHearing: (hearing) => hearings.push(hearing),
    poll: async () => {
      order.push("poll");
      return pollsLeft.shift() ?? { kind: "silence" };
    },
    deps,
  });
  stream.start();
  await over.promise;
  return { events, hearings, waits, lastIds, order };
}

const done: Told<unknown> = { kind: "done", status: 200, data: {} };

describe("[SF7] hearing of changes", () => {
  test("by the stream, which is opened again where it broke off, after the time that it names", async () => {
    const { events, hearings, waits, lastIds } = await hear([
      { status: 200, text: "retry: 3000\n\nid: 1.live\nevent: stock\ndata: {}\n\n" },
      { status: 200, text: "id: 2.live\nevent: stock\ndata: {}\n\n" },
    ]);
    expect(events).toHaveLength(2);
    expect(lastIds).toEqual([null, "1.live"]);
    expect(hearings.slice(0, 4)).toEqual(["connecting", "live", "reconnecting", "reconnecting"]);
    expect(waits[0]).toBe(3_000);
  });

  test("after two failures by asking, with the stream tried again in between", async () => {
    const { order, hearings } = await hear(["refused", "refused", "refused"], [done, done, { kind: "silence" }, done]);
    expect(order.slice(0, 7)).toEqual(["stream", "stream", "poll", "poll", "stream", "poll", "poll"]);
    expect(hearings).toContain("polling");
    expect(hearings).toContain("offline");
  });

  test.each([0, 0.5, 0.999])("never before Retry-After, whatever is drawn: %d", async (random) => {
    const { waits } = await hear([{ status: 503, retryAfter: "7" }, "refused"], [], random);
    expect(waits[0]).toBe(7_000);
    expect(waits[1]).toBe(2_000 * (0.5 + random));
  });

  test("a refused question has its floor, too", async () => {
    const { waits } = await hear(
      ["refused", "refused"],
      [{ kind: "no", status: 429, problem: { reason: "x", message: "" }, retryAfterMs: 20_000 }],
    );
    expect(waits).toContain(20_000);
  });

  test("a thousand clients that lost the stream together come back apart: at most a fifth in any second, none at once", async () => {
    const drawn = (at: number, step: number) => ((at * step) % 1_000) / 1_000;
    const waits = await Promise.all(
      Array.from({ length: 1_000 }, async (_, at) => {
        const text = `retry: ${2_000 + Math.floor(drawn(at, 7_919) * 8_000)}\n\n`;
        return (await hear([{ status: 200, text }], [], drawn(at, 104_729))).waits[0] ?? 0;
      }),
    );
    const perSecond = Map.groupBy(waits, (ms) => Math.floor(ms / 1_000));
    expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThan(200);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
  });
});
