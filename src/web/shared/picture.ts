/**
 * A product's picture, in the size that is shown, where the shop has it in several: `{width}` in its address stands for how
 * many pixels wide. Whatever comes, the page keeps its shape, and what is below the first screen waits.
 */
import { h, type VNode } from "./elements.ts";

export type Pictured = { readonly name: string; readonly image: string | null };
/** `isFirst`: what the page is looked at for, so it comes before all else; of others there are many. */
export type PictureAt = { readonly sizes: string; readonly isFirst: boolean };

const placeholder = "{width}";
/** Phones, twice the dots of phones, wide screens. */
const widths = [320, 640, 960, 1_280] as const;
/** For browsers that choose none. */
const usualWidth = 640;

/** Without a picture the name's first letter stands there. */
export function pictureOf({ image, name }: Pictured, { sizes, isFirst }: PictureAt): VNode {
  if (image === null) return h("span", { class: "no-picture", "aria-hidden": "true" }, String.fromCodePoint(name.codePointAt(0) ?? 0x20));
  const at = (width: number) => image.replaceAll(placeholder, String(width));
  const several = image.includes(placeholder) ? { srcset: widths.map((width) => `${at(width)} ${width}w`).join(", "), sizes } : {};
  const when = isFirst ? { fetchpriority: "high" } : { loading: "lazy" };
  return h("img", { src: at(usualWidth), alt: "", width: 640, height: 400, decoding: "async", ...several, ...when });
}
