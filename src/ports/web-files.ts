/**
 * What browsers are given beside the pages themselves: programs, and the style that every page holds within. They are
 * made from `src/web` while the server is running already, so for a moment after a start there may be none.
 */
export interface WebFiles {
  /** Undefined until they are made. The same object from then on. */
  current(): WebBundle | undefined;
}

export type WebBundle = {
  /** The style of all pages, to stand in them. */
  readonly style: string;
  /** Names of programs by the page that they belong to. */
  readonly scripts: Readonly<Record<WebPage, string>>;
  /** By name. A name says what is in it, so a file never changes. */
  readonly files: ReadonlyMap<string, WebFile>;
};

export type WebFile = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer>;
};

/** Pages with a program of their own: one file of `src/web/pages` each. */
export const webPages = ["account", "list", "order", "orders", "sale", "sign-in"] as const;
export type WebPage = (typeof webPages)[number];
