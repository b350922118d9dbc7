/** Where a value stands on an axis, and where the axis is marked. */
export type Scale = {
  /** 0 at the beginning of the axis, 1 at its end. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
};

const steps = [1, 2, 5, 10];
const logRangeMin = 10;

/** From `from` to a round number that is not below `to`. */
export function linearScale({ from, to, ticks }: { from: number; to: number; ticks: number }): Scale {
  const step = niceStep(Math.max(to - from, Number.MIN_VALUE) / ticks);
  const end = from + Math.ceil((to - from) / step - 1e-9) * step;
  const span = end - from || 1;
  const count = Math.round((end - from) / step);
  return { at: (value) => (value - from) / span, ticks: Array.from({ length: count + 1 }, (_, i) => clean(from + i * step, step)) };
}

/** Exactly from `from` to `to`, marked at multiples of a round step: for time. */
export function timeScale({ from, to, ticks }: { from: number; to: number; ticks: number }): Scale {
  const step = Math.max(niceStep((to - from) / ticks), 1e-6);
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.max(0, Math.floor(to / step + 1e-9) - first) + 1;
  const span = to - from || 1;
  return { at: (value) => (value - from) / span, ticks: Array.from({ length: count }, (_, i) => clean((first + i) * step, step)) };
}

/** Over whole powers of ten, at least one of them; zero and less stand at the beginning. */
export function logScale({ from, to }: { from: number; to: number }): Scale {
  const low = Math.floor(Math.log10(Math.max(from, 1e-3)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(to, 1e-3))), low + Math.log10(logRangeMin));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const at = (value: number) => Math.max(0, (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low));
  return { at, ticks };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return (steps.find((step) => step * power >= rough * (1 - 1e-9)) ?? 10) * power;
}

/** Without the dust of binary fractions. */
const clean = (value: number, step: number) => Number(value.toFixed(Math.max(0, -Math.floor(Math.log10(step)) + 1)));
