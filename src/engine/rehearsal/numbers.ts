/** Numbers as the pages write them; the same in every language. */
export const whole = (value: number): string => String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ",");

/** Three digits that count, never more than needed. */
export function brief(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return whole(value);
  const digits = size >= 10 ? 1 : 2;
  return String(Math.round(value * 10 ** digits) / 10 ** digits);
}

export const ms = (value: number): string => (value >= 10_000 ? `${brief(value / 1000)} s` : `${brief(value)} ms`);
export const seconds = (valueMs: number): string => `${brief(valueMs / 1000)} s`;
export const percent = (share: number): string => `${brief(share * 100)} %`;
export const gibibytes = (bytes: number): string => `${brief(bytes / 2 ** 30)} GiB`;
