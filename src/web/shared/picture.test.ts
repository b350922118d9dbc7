import { expect, test } from "bun:test";
import { renderToString } from "preact-render-to-string";
import { pictureOf } from "./picture.ts";

const at = { sizes: "50vw", isFirst: false };
const html = (image: string | null, where = at) => renderToString(pictureOf({ name: "明前龙井", image }, where));

test("[SF21] a picture keeps its place before it is there, and one that is far below is not fetched yet", () => {
  expect(html("/lamp.webp")).toBe('<img src="/lamp.webp" alt width="640" height="400" decoding="async" loading="lazy"/>');
  expect(html("/lamp.webp", { ...at, isFirst: true })).toContain('fetchpriority="high"');
  expect(html(null)).toBe('<span class="no-picture" aria-hidden="true">明</span>');
});

test("[SF21] one that the shop has in several sizes comes in the size that is shown", () => {
  const text = html("https://cdn.test/lamp?w={width}&f=webp");
  expect(text).toContain('src="https://cdn.test/lamp?w=640&amp;f=webp"');
  expect(text).toContain("https://cdn.test/lamp?w=320&amp;f=webp 320w, https://cdn.test/lamp?w=640&amp;f=webp 640w");
  expect(text).toContain('sizes="50vw"');
  expect(html("/lamp.webp")).not.toContain("srcset");
});
