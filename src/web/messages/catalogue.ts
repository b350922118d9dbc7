/**
 * Everything our pages say, in each language. English gives the keys; the types hold the other languages to them. A page
 * is sent the groups that it uses.
 */
import type { Language } from "../shared/languages.ts";
import type { Message } from "../shared/translate.ts";
import { en } from "./en.ts";
import { zhCn } from "./zh-cn.ts";

export type Group = keyof typeof en;
type KeysOf<G> = G extends Group ? keyof (typeof en)[G] & string : never;
export type Key = KeysOf<Group>;
export type Messages = { readonly [G in Group]: Readonly<Record<KeysOf<G>, Message>> };

const catalogues: Readonly<Record<Language, Messages>> = { en, "zh-CN": zhCn };

export function messagesOf(language: Language, groups: readonly Group[]): Readonly<Partial<Record<Key, Message>>> {
  return Object.assign({}, ...groups.map((group) => catalogues[language][group]));
}
