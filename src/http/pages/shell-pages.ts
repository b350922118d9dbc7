/**
 * Pages about somebody: the frame is the same for everybody, their programs ask the API for what is personal. Each is
 * made once in each language.
 */
import { parsePurchaseId } from "../../domain/ids.ts";
import type { WebBundle, WebPage } from "../../ports/web-files.ts";
import { accountView } from "../../web/account/account-view.ts";
import { signInView } from "../../web/account/sign-in-view.ts";
import type { Group, Key } from "../../web/messages/catalogue.ts";
import { orderView, type PayWay } from "../../web/order/order-view.ts";
import { ordersView } from "../../web/order/orders-view.ts";
import type { VNode } from "../../web/shared/elements.ts";
import { lateProgram } from "../../web/shared/forms.ts";
import type { Language } from "../../web/shared/languages.ts";
import { pathsOf, type Paths } from "../../web/shared/paths.ts";
import type { Translate } from "../../web/shared/translate.ts";
import { documentOf, otherLanguage, translatorOf, type PageParts } from "./document.ts";
import { pageBytes, type PageBytes } from "./page-bytes.ts";

export type ShellMaker = { readonly language: Language; readonly bundle: WebBundle; readonly payWay: PayWay };

type Shell = {
  readonly page: WebPage;
  readonly title: Key;
  readonly groups: readonly Group[];
  readonly here?: PageParts["here"];
  readonly own: (maker: ShellMaker) => unknown;
  readonly path: (paths: Paths) => string;
  readonly content: (language: Language, t: Translate<Key>) => VNode;
};

const signing = (mode: "sign-in" | "register") => ({
  page: "sign-in" as const,
  groups: ["account"] as const,
  own: () => ({ mode }),
  content: (language: Language, t: Translate<Key>) =>
    signInView({
      language,
      t,
      mode,
      next: undefined,
      problems: [],
      working: false,
      wantsCode: false,
      showsPassword: false,
      acts: undefined,
    }),
});

const shells: Readonly<Record<"sign-in" | "register" | "account" | "orders" | "order", Shell>> = {
  "sign-in": { ...signing("sign-in"), title: "sign_in_title", path: (paths) => paths.signIn() },
  register: { ...signing("register"), title: "register_title", path: (paths) => paths.register() },
  account: {
    page: "account",
    title: "account_title",
    groups: ["account"],
    here: "my_account",
    own: () => null,
    path: (paths) => paths.account,
    content: (language, t) => accountView({ language, t, account: undefined, sessions: [], told: undefined, acts: undefined }),
  },
  orders: {
    page: "orders",
    title: "orders_title",
    groups: ["order"],
    here: "my_orders",
    own: () => null,
    path: (paths) => paths.orders,
    content: (language, t) =>
      ordersView({
        language,
        t,
        filter: "all",
        page: 1,
        orders: undefined,
        hasOlder: false,
        names: new Map(),
        nowMs: undefined,
        problem: undefined,
      }),
  },
  order: {
    page: "order",
    title: "order_title",
    groups: ["order"],
    own: ({ payWay }) => ({ payWay }),
    // Its program knows which one, and leads to it.
    path: (paths) => paths.orders,
    content: (language, t) => {
      const nothing = {
        order: undefined,
        isUnknown: false,
        saleName: undefined,
        nowMs: undefined,
        working: false,
        asksCancel: false,
        told: undefined,
      };
      return orderView({ language, t, payWay: "external", live: undefined, acts: undefined, ...nothing });
    },
  },
};

/** A path's first word and what follows it; undefined if that is no page. */
export function shellPage(maker: ShellMaker, kind: string, id: string | undefined): Promise<PageBytes> | undefined {
  const name = kind === "orders" && id !== undefined ? "order" : kind;
  if (!Object.hasOwn(shells, name) || (name === "order") !== (id !== undefined) || kind === "order") return undefined;
  // It has just been found in the table.
  const shell = shells[name as keyof typeof shells];
  if (id !== undefined && parsePurchaseId(id) === undefined) return undefined;
  const kept = keptOf(maker.bundle);
  const key = `${maker.language}/${name}`;
  const page = kept.get(key) ?? pageBytes(htmlOf(maker, shell));
  kept.set(key, page);
  return page;
}

const made = new WeakMap<WebBundle, Map<string, Promise<PageBytes>>>();

function keptOf(bundle: WebBundle): Map<string, Promise<PageBytes>> {
  const kept = made.get(bundle) ?? new Map<string, Promise<PageBytes>>();
  made.set(bundle, kept);
  return kept;
}

function htmlOf(maker: ShellMaker, shell: Shell): string {
  const { language, bundle } = maker;
  const t = translatorOf(language, shell.groups);
  return documentOf(bundle, {
    language,
    title: t(shell.title),
    otherPath: shell.path(pathsOf(otherLanguage(language))),
    here: shell.here,
    content: shell.content(language, t),
    below: lateProgram(t("late_program")),
    program: { page: shell.page, groups: shell.groups, own: shell.own(maker) },
    isShell: true,
  });
}
