/** ISO 8601 in UTC with milliseconds, as every answer has it. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
