/** A chart as SVG without script, style attributes or words: names stand in the HTML around it, colours in the style sheet. */
import { html, type Markup } from "./markup.ts";
import { brief } from "../numbers.ts";
import type { Scale } from "./scale.ts";

export type Point = readonly [x: number, y: number | undefined];
export type Layer = {
  /** Class of the style sheet: a colour, and how a line is dashed. */
  readonly look: string;
} & (
  | { readonly kind: "line"; readonly points: readonly Point[] }
  /** Between two values each. */
  | { readonly kind: "area"; readonly points: readonly (readonly [x: number, low: number, high: number])[] }
  /** From `x`, so wide, between two values. */
  | { readonly kind: "bars"; readonly points: readonly (readonly [x: number, width: number, low: number, high: number])[] }
);
export type Chart = {
  /** Ids of the elements that name and describe it. */
  readonly labelledBy: string;
  readonly x: Scale;
  readonly y: Scale;
  readonly layers: readonly Layer[];
  /** A line across at the moment of opening, if it lies within. */
  readonly markX?: number | undefined;
};

const width = 760;
const height = 260;
const left = 52;
const right = 12;
const top = 12;
const bottom = 26;
const plotWidth = width - left - right;
const plotHeight = height - top - bottom;

export function svgChart({ labelledBy, x, y, layers, markX }: Chart): Markup {
  const px = (value: number) => round(left + x.at(value) * plotWidth);
  const py = (value: number) => round(top + (1 - Math.min(1, Math.max(0, y.at(value)))) * plotHeight);
  const foot = top + plotHeight;
  const rows = y.ticks.map(
    (tick) =>
      html`<line class="grid" x1="${left}" x2="${width - right}" y1="${py(tick)}" y2="${py(tick)}" /><text
          x="${left - 8}"
          y="${py(tick) + 4}"
          text-anchor="end"
          >${brief(tick)}</text
        >`,
  );
  const columns = x.ticks.map(
    (tick) =>
      html`<line class="tick" x1="${px(tick)}" x2="${px(tick)}" y1="${foot}" y2="${foot + 5}" /><text
          x="${px(tick)}"
          y="${height - 6}"
          text-anchor="middle"
          >${brief(tick)}</text
        >`,
  );
  const mark = markX === undefined ? undefined : html`<line class="mark" x1="${px(markX)}" x2="${px(markX)}" y1="${top}" y2="${foot}" />`;
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${labelledBy}">
    ${rows}${layers.map((layer) => draw(layer, px, py))}${mark}
    <line class="axis" x1="${left}" x2="${width - right}" y1="${foot}" y2="${foot}" />
    ${columns}
  </svg>`;
}

type Place = (value: number) => number;

function draw(layer: Layer, px: Place, py: Place): Markup {
  switch (layer.kind) {
    case "line":
      return html`${runsOf(layer.points).map((run) => line(layer.look, run, px, py))}`;
    case "area": {
      const upper = layer.points.map(([x, , high]) => `${px(x)},${py(high)}`);
      const lower = layer.points.toReversed().map(([x, low]) => `${px(x)},${py(low)}`);
      return html`<polygon class="area ${layer.look}" points="${[...upper, ...lower].join(" ")}" />`;
    }
    case "bars": {
      const path = layer.points
        .filter(([, , low, high]) => high > low)
        .map(([x, wide, low, high]) => `M${px(x)} ${py(low)}V${py(high)}H${px(x + wide)}V${py(low)}Z`);
      return html`<path class="area ${layer.look}" d="${path.join("")}" />`;
    }
    default:
      return layer satisfies never;
  }
}

/** A single value between gaps is a dot: a line of one point would not be seen. */
function line(look: string, run: readonly (readonly [number, number])[], px: Place, py: Place): Markup {
  const [first] = run;
  if (run.length === 1 && first !== undefined)
    return html`<circle class="dot ${look}" cx="${px(first[0])}" cy="${py(first[1])}" r="2.5" />`;
  return html`<polyline class="line ${look}" points="${run.map(([x, y]) => `${px(x)},${py(y)}`).join(" ")}" />`;
}

/** Where nothing was measured the line has a gap. */
function runsOf(points: readonly Point[]): (readonly [number, number])[][] {
  const runs: (readonly [number, number])[][] = [[]];
  for (const [x, y] of points)
    if (y === undefined) runs.push([]);
    else runs.at(-1)?.push([x, y]);
  return runs.filter((run) => run.length > 0);
}

const round = (value: number) => Math.round(value * 10) / 10;
