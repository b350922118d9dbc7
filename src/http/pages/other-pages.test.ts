import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isPagePath, pathIn, patternOf } from "./pages.ts";
import { openMemoryApi, shopKey, type MemoryApi } from "../../../tests/harness/memory-api.ts";
import { waitFor } from "../../../tests/harness/wait.ts";
import { plantedFiles } from "../../../tests/kit/planted-bundle.ts";

let api: MemoryApi;
let productId: string;

const at = (ms: number) => new Date(api.time.nowMs + ms).toISOString();

async function openSale(name: string, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const json = { product_id: productId, name, stock: 10, starts_at: at(0), ends_at: at(3_600_000), ...fields };
  const id = String((await api.ask("POST", "/api/v1/sales", { key: shopKey, json })).data["id"]);
  await api.ask("POST", `/api/v1/sales/${id}/publish`, { key: shopKey });
  return id;
}

beforeAll(async () => {
  api = await openMemoryApi({ web: plantedFiles() });
  const made = await api.ask("POST", "/api/v1/products", {
    key: shopKey,
    json: { name: "Lamp", price_minor: 4_950, currency: "CNY", image: "/images/lamp.webp" },
  });
  productId = String(made.data["id"]);
});
afterAll(() => api.close());

const read = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
  const answer = await api.send("GET", path, { headers });
  return { answer, text: await answer.text() };
};
/** What its program is told. */
const ownOf = (text: string): unknown => {
  const data = /<script type="application\/json" id="page-data">(.*?)<\/script>/s.exec(text)?.[1] ?? "null";
  return (JSON.parse(data) as { own: unknown } | null)?.own;
};

describe("[SF2] the list of sales", () => {
  test("says that there are none, then shows them where they belong, drafts nowhere", async () => {
    expect((await read("/en/")).text).toContain("There are no sales yet");
    await openSale("On now");
    await openSale("Comes later", { starts_at: at(600_000) });
    await openSale("Nearly gone", { stock: 1 });
    await api.ask("POST", "/api/v1/sales", {
      key: shopKey,
      json: { product_id: productId, name: "A draft", stock: 1, starts_at: at(0), ends_at: at(1_000) },
    });
    const shown = await waitFor("the list is new", async () => {
      api.time.nowMs += 3_500;
      const { text } = await read("/en/");
      return text.includes("Nearly gone") && text;
    });
    expect(shown.indexOf("On sale now")).toBeLessThan(shown.indexOf("On now"));
    expect(shown.indexOf("Starting soon")).toBeLessThan(shown.indexOf("Comes later"));
    expect(shown.indexOf("On now")).toBeLessThan(shown.indexOf("Starting soon"));
    expect(shown).not.toContain("A draft");
    expect(shown).toContain('src="/images/lamp.webp"');
  });

  test("is the same bytes for everybody", async () => {
    const [one, other] = [await read("/zh-CN/"), await read("/zh-CN/", { cookie: "a=b", authorization: "Bearer x" })];
    expect(one.text).toBe(other.text);
    expect(one.answer.headers.get("cache-control")).toBe("public, max-age=5, stale-while-revalidate=60, stale-if-error=3600");
  });
});

test("[SF1] only the paths of pages are taken from the API, and the log names nobody's", () => {
  const pages = ["/", "/en", "/en/", "/zh-CN/s/1", "/assets/x.js", "/assets"];
  const others = ["/english", "/zh", "/api/v1/time", "/docs", "/livez", "/assets.js", "//en", ""];
  expect(pages.map(isPagePath)).toEqual(pages.map(() => true));
  expect(others.map(isPagePath)).toEqual(others.map(() => false));
  const urls = ["http://a.test/en/orders/7?x=/y", "http://a.test", "http://a.test/#/en"];
  expect(urls.map(pathIn)).toEqual(["/en/orders/7", "/", "/"]);
  expect(["/", "/assets/x.js", "/en/orders/7"].map(patternOf)).toEqual(["/", "/assets/:name", "/:language/*"]);
});

describe("[SF1] pages about somebody", () => {
  const paths = ["sign-in", "register", "account", "orders", "orders/7421690423775232"];
  test.each(paths)("%s is a frame that holds nothing of anybody, in both languages", async (path) => {
    for (const language of ["en", "zh-CN"]) {
      const { answer, text } = await read(`/${language}/${path}`, { cookie: "doorbuster_refresh=secret" });
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([200, null]);
      expect(answer.headers.get("cache-control")).toStartWith("public, max-age=60");
      expect(text).toContain(`<html lang="${language}">`);
      expect(text).not.toContain("secret");
      expect(text.match(/<h1/g)).toHaveLength(1);
      expect((await read(`/${language}/${path}`)).text).toBe(text);
    }
  });

  test.each(["sign-in/x", "order", "order/1", "orders/x", "orders/1/2", "account/", "toString", "__proto__", "constructor"])(
    "%s is none",
    async (path) => {
      expect((await read(`/en/${path}`)).answer.status).toBe(404);
    },
  );

  test("an order's page offers the simulated provider's buttons in development alone", async () => {
    expect(ownOf((await read("/en/orders/1")).text)).toEqual({ payWay: "simulated" });
    const trial = await openMemoryApi({ web: plantedFiles(), options: { ...api.deps.options, environment: "development" } });
    expect(ownOf(await (await trial.send("GET", "/en/orders/1")).text())).toEqual({ payWay: "trial" });
    await trial.close();
  });
});
