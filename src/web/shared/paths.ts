/** Where our pages are. One place, for links and for the server that answers them. */
import type { Language } from "./languages.ts";

/** Pages for browsers that run no program lie under a path of their own, and lead to one another. */
export const plainRoot = "/plain";

export const pathsOf = (language: Language, isPlain = false) => {
  const root = `${isPlain ? plainRoot : ""}/${language}`;
  const withNext = (path: string, next: string | undefined) => (next === undefined ? path : `${path}?next=${encodeURIComponent(next)}`);
  return {
    // What is for sale needs no program: it is one page for all.
    list: `/${language}/`,
    sale: (id: string) => `${root}/s/${id}`,
    calendar: (id: string) => `/${language}/s/${id}/start.ics`,
    signIn: (next?: string) => withNext(`${root}/sign-in`, next),
    register: (next?: string) => withNext(`${root}/register`, next),
    account: `${root}/account`,
    orders: `${root}/orders`,
    order: (id: string) => `${root}/orders/${id}`,
  };
};
export type Paths = ReturnType<typeof pathsOf>;

/** Where to go after signing in: a page of ours, and nowhere else. */
export function nextPath(search: string, otherwise: string): string {
  const next = new URLSearchParams(search).get("next") ?? "";
  return /^(\/plain)?\/(zh-CN|en)\/[\w\-/?=&]*$/.test(next) ? next : otherwise;
}
