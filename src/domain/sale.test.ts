import { describe, expect, test } from "bun:test";
import { money, sampleDraft, sampleEndMs, sampleNowMs, sampleSale, sampleStartMs } from "../../tests/kit/samples.ts";
import { unitsMax } from "./ledger.ts";
import { priceMinorMax } from "./money.ts";
import {
  groupLengthMax,
  nameLengthMax,
  payWindowMaxMs,
  payWindowMinMs,
  perBuyerLimitMax,
  problemOf,
  saleStatuses,
  startToleranceMs,
  statusOf,
  switchTable,
  windowMaxMs,
  type SaleDraft,
  type SaleStatus,
} from "./sale.ts";

describe("[PU12] status by switches and time", () => {
  const live = sampleSale();
  const rows: readonly (readonly [string, Parameters<typeof statusOf>[0], number, SaleStatus])[] = [
    ["a draft, whatever the time", { ...live, phase: "draft" }, sampleEndMs, "draft"],
    ["cancelled, whatever the time", { ...live, phase: "cancelled" }, sampleNowMs, "cancelled"],
    ["cancelled, also if paused", { ...live, phase: "cancelled", paused: true }, sampleNowMs, "cancelled"],
    ["a millisecond before its start", live, sampleStartMs - 1, "scheduled"],
    ["paused before its start", { ...live, paused: true }, sampleStartMs - 1, "scheduled"],
    ["at its start", live, sampleStartMs, "live"],
    ["paused at its start", { ...live, paused: true }, sampleStartMs, "paused"],
    ["a millisecond before its end", live, sampleEndMs - 1, "live"],
    ["at its end", live, sampleEndMs, "ended"],
    ["paused at its end", { ...live, paused: true }, sampleEndMs, "ended"],
  ];
  test.each(rows)("%s", (_, sale, nowMs, expected) => expect(statusOf(sale, nowMs)).toBe(expected));
});

describe("[PU23] the first wrong field of a draft is named, at each bound", () => {
  const now = sampleStartMs;
  const rows: readonly (readonly [string, Partial<SaleDraft>, string | undefined])[] = [
    ["as it is", {}, undefined],
    ["name empty", { name: "" }, "name"],
    ["name at its bound", { name: "x".repeat(nameLengthMax) }, undefined],
    ["name beyond", { name: "x".repeat(nameLengthMax + 1) }, "name"],
    ["name of spaces", { name: " \u3000" }, "name"],
    ["name with a NUL", { name: "a\0b" }, "name"],
    ["name with a line break", { name: "a\nb" }, "name"],
    ["name in other letters", { name: "铜台灯 “Ω” é 🪔" }, undefined],
    ["price 0", { price: money(0) }, "price_minor"],
    ["price at its bound", { price: money(priceMinorMax) }, undefined],
    ["price beyond", { price: money(priceMinorMax + 1) }, "price_minor"],
    ["price fractional", { price: money(1.5) }, "price_minor"],
    ["stock 0", { stock: 0 }, "stock"],
    ["stock 1", { stock: 1 }, undefined],
    ["stock at its bound", { stock: unitsMax }, undefined],
    ["stock beyond", { stock: unitsMax + 1 }, "stock"],
    ["stock fractional", { stock: 1.5 }, "stock"],
    ["stock not a number", { stock: Number.NaN }, "stock"],
    ["limit 0", { perBuyerLimit: 0 }, "per_buyer_limit"],
    ["limit at its bound", { perBuyerLimit: perBuyerLimitMax }, undefined],
    ["limit beyond", { perBuyerLimit: perBuyerLimitMax + 1 }, "per_buyer_limit"],
    ["group empty", { limitGroup: "" }, "limit_group"],
    ["group with a control character", { limitGroup: "g\u0085" }, "limit_group"],
    ["group at its bound", { limitGroup: "x".repeat(groupLengthMax) }, undefined],
    ["group beyond", { limitGroup: "x".repeat(groupLengthMax + 1) }, "limit_group"],
    ["window to pay too short", { payWindowMs: payWindowMinMs - 1 }, "pay_window_seconds"],
    ["window to pay shortest", { payWindowMs: payWindowMinMs }, undefined],
    ["window to pay longest", { payWindowMs: payWindowMaxMs }, undefined],
    ["window to pay too long", { payWindowMs: payWindowMaxMs + 1 }, "pay_window_seconds"],
    ["start at the tolerance", { startsAtMs: now - startToleranceMs }, undefined],
    ["start too long ago", { startsAtMs: now - startToleranceMs - 1 }, "starts_at"],
    ["end at the start", { startsAtMs: now + 5, endsAtMs: now + 5 }, "ends_at"],
    ["end before the start", { startsAtMs: now + 5, endsAtMs: now + 4 }, "ends_at"],
    ["end just passed", { startsAtMs: now - 10, endsAtMs: now }, "ends_at"],
    ["longest window", { endsAtMs: now + windowMaxMs }, undefined],
    ["window too long", { endsAtMs: now + windowMaxMs + 1 }, "ends_at"],
    ["everything wrong", { name: "", stock: 0, price: money(0), endsAtMs: 0 }, "name"],
    ["all but the name wrong", { stock: 0, price: money(0), endsAtMs: 0 }, "price_minor"],
  ];
  test.each(rows)("%s", (_, change, expected) => expect(problemOf(sampleDraft(change), now)?.field).toBe(expected));
});

test("[PU15] every switch has a verdict in every status, and no status but its own is applied twice", () => {
  for (const [kind, row] of Object.entries(switchTable)) {
    expect<string[]>(Object.keys(row).toSorted()).toEqual([...saleStatuses].toSorted());
    for (const verdict of Object.values(row)) expect(["apply", "same", "refuse"]).toContain(verdict);
    expect(row.ended === "apply").toBe(kind === "cancel_sale");
  }
  expect(switchTable.publish.draft).toBe("apply");
  expect(Object.values(switchTable.publish).filter((verdict) => verdict === "apply").length).toBe(1);
});
