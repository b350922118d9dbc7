/** Buttons that do something: by a program where one runs, by a form that is sent where none does. */
import { h, type Attributes, type VNode } from "./elements.ts";

export type Act = {
  readonly label: string;
  readonly class: string;
  readonly onClick: (() => void) | undefined;
  /** Where a form goes, and what it says; undefined where a program runs. */
  readonly form: { readonly action: string; readonly fields?: Readonly<Record<string, string>> } | undefined;
  readonly more?: Attributes | undefined;
};

export function actButton({ label, class: name, onClick, form, more }: Act): VNode {
  if (form === undefined) return h("button", { type: "button", class: name, onClick, ...more }, label);
  return h("form", { method: "post", action: form.action }, hiddenFields(form.fields ?? {}), h("button", { class: name, ...more }, label));
}

export const hiddenFields = (fields: Readonly<Record<string, string>>): readonly VNode[] =>
  Object.entries(fields).map(([name, value]) => h("input", { key: name, type: "hidden", name, value }));

/** Word to whoever runs no program, with the way to where none is needed. */
export const withoutProgram = (text: string): VNode => h("noscript", null, h("p", null, h("a", { href: "?plain" }, text)));

/** The same for whose program does not come: shown after a while, on pages that have nothing without it. */
export const lateProgram = (text: string): VNode => h("p", { class: "late" }, h("a", { href: "?plain" }, text));
