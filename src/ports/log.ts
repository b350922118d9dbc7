/** Structured lines for the operator. Never a secret, a token or a buyer's own id. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
export type LogFields = Readonly<Record<string, unknown>>;

/** What became of lines that nobody will read, and of the files they went to. Plain numbers, read at each scrape. */
export type LogCounts = {
  /** Lines lost because too many were waiting. */
  dropped: number;
  /** Lines lost because they could not be written. */
  failed: number;
  /** Files rolled over. */
  rotated: number;
};
