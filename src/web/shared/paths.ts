/** Where our pages are. One place, for links and for the server that answers them. */
import type { Language } from "./languages.ts";

export const pathsOf = (language: Language) => ({
  list: `/${language}/`,
  sale: (id: string) => `/${language}/s/${id}`,
  signIn: (next?: string) => `/${language}/sign-in${next === undefined ? "" : `?next=${encodeURIComponent(next)}`}`,
  register: (next?: string) => `/${language}/register${next === undefined ? "" : `?next=${encodeURIComponent(next)}`}`,
  account: `/${language}/account`,
  orders: `/${language}/orders`,
  order: (id: string) => `/${language}/orders/${id}`,
});
export type Paths = ReturnType<typeof pathsOf>;

/** Where to go after signing in: a page of ours, and nowhere else. */
export function nextPath(search: string, otherwise: string): string {
  const next = new URLSearchParams(search).get("next") ?? "";
  return /^\/(zh-CN|en)\/[\w\-/?=&]*$/.test(next) ? next : otherwise;
}
