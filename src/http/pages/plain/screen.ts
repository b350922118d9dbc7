/** What the pages without a program have in common: what they are asked, and what they come to. */
import type { VNode } from "../../../web/shared/elements.ts";
import type { PayWay } from "../../../web/order/order-view.ts";
import type { Told } from "../../../web/shared/api.ts";
import type { Language } from "../../../web/shared/languages.ts";
import { pathsOf, type Paths } from "../../../web/shared/paths.ts";
import type { PageParts } from "../document.ts";
import type { Visitor } from "./visitor.ts";

export type Visit = {
  readonly visitor: Visitor;
  readonly language: Language;
  readonly paths: Paths;
  /** The path's words after what names the page. */
  readonly words: readonly string[];
  readonly query: URLSearchParams;
  /** What was sent by a form of ours; undefined where somebody only looks. */
  readonly form: URLSearchParams | undefined;
  readonly nowMs: number;
  readonly payWay: PayWay;
  /** One that nobody had before. */
  readonly newKey: () => string;
};

export type Screen =
  | {
      readonly kind: "page";
      readonly status: number;
      readonly title: string;
      readonly here?: PageParts["here"];
      /** The same in the other language. */
      readonly other: (paths: Paths) => string;
      readonly content: VNode;
      /** When what was asked may be asked again. */
      readonly retryAfterMs?: number | undefined;
    }
  | { readonly kind: "go"; readonly to: string }
  | { readonly kind: "none" }
  /** The API said that it cannot say, or said nothing. */
  | { readonly kind: "failed"; readonly status: number; readonly retryAfterMs: number | undefined };

export type Show = (visit: Visit) => Promise<Screen>;

type No = Exclude<Told<unknown>, { kind: "done" }>;

/** What could not be read: for want of an account, of the thing, or of an answer. */
export function unread(visit: Visit, told: No, self: string): Screen {
  if (told.kind === "silence") return { kind: "failed", status: 504, retryAfterMs: undefined };
  if (told.status === 401) return { kind: "go", to: visit.paths.signIn(self) };
  if (told.status === 404) return { kind: "none" };
  return { kind: "failed", status: told.status, retryAfterMs: told.retryAfterMs };
}

export const statusOf = (told: No): number => (told.kind === "silence" ? 504 : told.status);
/** A page that says no is answered as the API answered. */
export const answerOf = (told: No) => ({ status: statusOf(told), retryAfterMs: told.kind === "silence" ? undefined : told.retryAfterMs });
export const plainPaths = (language: Language): Paths => pathsOf(language, true);
