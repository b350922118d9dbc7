/** Elements by their tag: plain calls instead of JSX, which Node does not read. */
import { h as element, type ComponentChildren, type VNode } from "preact";

export type { VNode } from "preact";
/** As HTML names them; what is undefined or false is left out. Functions hear events. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

export function h(tag: string, attributes: Attributes | null, ...children: ComponentChildren[]): VNode {
  // The library types each tag's attributes apart; here a tag is any tag.
  return element(tag, attributes as Record<string, unknown> | null, ...children) as VNode;
}
