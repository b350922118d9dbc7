import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { openMemoryApi, shopKey, type MemoryApi } from "../../../../tests/harness/memory-api.ts";
import { plantedFiles } from "../../../../tests/kit/planted-bundle.ts";

const origin = "http://shop.test";
const password = "seven lemons in a row";
let api: MemoryApi;
beforeAll(async () => {
  api = await openMemoryApi({ web: plantedFiles() });
});
afterAll(() => api.close());

async function liveSale(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const product = { name: "Lamp <b>", price_minor: 4_950, currency: "CNY", image: "/images/lamp.webp" };
  const made = await api.ask("POST", "/api/v1/products", { key: shopKey, json: product });
  const window = { starts_at: new Date(api.time.nowMs + 1_000).toISOString(), ends_at: new Date(api.time.nowMs + 3_600_000).toISOString() };
  const sale = await api.ask("POST", "/api/v1/sales", {
    key: shopKey,
    json: { product_id: made.data["id"], stock: 5, per_buyer_limit: 2, ...window, ...more },
  });
  const id = String(sale.data["id"]);
  await api.ask("POST", `/api/v1/sales/${id}/publish`, { key: shopKey });
  return id;
}

let browsers = 0;

/** A browser without a program: it follows links, sends forms and keeps one cookie. */
class PlainBrowser {
  cookie: string | undefined;
  /** Each comes from elsewhere, so that no limit of one address counts them together. */
  readonly #peer = `192.0.2.${++browsers}`;

  async open(path: string): Promise<Shown> {
    return this.#shown(await api.send("GET", path, { peer: this.#peer, headers: this.#headers() }));
  }

  /** As a form of the page would. */
  async send(path: string, fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Shown> {
    const contentType = "application/x-www-form-urlencoded";
    const raw = new URLSearchParams(fields).toString();
    return this.#shown(
      await api.send("POST", path, {
        peer: this.#peer,
        raw,
        contentType,
        headers: { ...this.#headers(), host: "shop.test", origin, ...headers },
      }),
    );
  }

  async register(username: string): Promise<void> {
    expect((await this.send("/plain/en/register", { username, password })).to).toBe("/plain/en/account");
  }

  #headers(): Readonly<Record<string, string>> {
    return this.cookie === undefined ? {} : { cookie: this.cookie };
  }

  async #shown(response: Response): Promise<Shown> {
    const set = response.headers.get("set-cookie");
    if (set !== null) this.cookie = set.split(";")[0];
    const text = await response.text();
    return { status: response.status, to: response.headers.get("location"), text, headers: response.headers };
  }
}

type Shown = { readonly status: number; readonly to: string | null; readonly text: string; readonly headers: Headers };
const stateOf = ({ text }: Shown) => / data-state="(\w+)"/.exec(text)?.[1];
const keyOf = ({ text }: Shown) => /name="key" value="([^"]+)"/.exec(text)?.[1] ?? "";

describe("[SF17] without a program", () => {
  test("one signs up, buys, pays, and sees one's orders", async () => {
    const saleId = await liveSale();
    const browser = new PlainBrowser();
    const before = await browser.open(`/plain/en/s/${saleId}`);
    expect([before.status, stateOf(before)]).toEqual([200, "BEFORE"]);
    expect(before.text).toContain("<h1>Lamp &lt;b></h1>");
    expect(before.text).toContain('src="/images/lamp.webp"');
    api.time.nowMs += 1_000;
    const stranger = await browser.open(`/plain/en/s/${saleId}`);
    expect(stateOf(stranger)).toBe("SIGN_IN");
    const signIn = `/plain/en/sign-in?next=${encodeURIComponent(`/plain/en/s/${saleId}`)}`;
    expect(stranger.text).toContain(`href="${signIn}"`);
    const registered = await browser.send(signIn.replace("sign-in", "register"), { username: "plain", password });
    expect([registered.status, registered.to]).toEqual([303, `/plain/en/s/${saleId}`]);
    const open = await browser.open(`/plain/en/s/${saleId}`);
    expect(stateOf(open)).toBe("ON_SALE");
    const bought = await browser.send(`/plain/en/s/${saleId}`, { key: keyOf(open), quantity: "2" });
    expect([bought.status, bought.to]).toEqual([303, expect.stringMatching(/^\/plain\/en\/orders\/\d+$/)]);
    const orderPath = bought.to ?? "";
    expect(stateOf(await browser.open(orderPath))).toBe("reserved");
    const held = await browser.open(`/plain/en/s/${saleId}`);
    expect(stateOf(held)).toBe("HELD");
    expect(held.text).toContain(`href="${orderPath}"`);
    const paying = await browser.send(`${orderPath}/payments`, { scenario: "success" });
    expect([paying.status, paying.to]).toEqual([303, orderPath]);
    expect((await browser.open(orderPath)).text).toContain("The payment is on its way. Look again");
    const orders = await browser.open("/plain/en/orders");
    expect(orders.text).toContain(`href="${orderPath}"`);
    expect(orders.headers.get("cache-control")).toBe("no-store");
    expect((await browser.open("/plain/zh-CN/orders?show=over")).text).not.toContain(orderPath);
  });

  test("one gets more time, cancels, after being asked, and the unit returns", async () => {
    const saleId = await liveSale({ stock: 1 });
    api.time.nowMs += 1_000;
    const browser = new PlainBrowser();
    await browser.register("plain2");
    const { to } = await browser.send(`/plain/en/s/${saleId}`, { key: keyOf(await browser.open(`/plain/en/s/${saleId}`)) });
    const orderPath = to ?? "";
    expect((await browser.open(orderPath)).text).toContain(`href="${orderPath}?cancel"`);
    const payBy = /name="pay_by" value="([^"]+)"/.exec((await browser.open(orderPath)).text)?.[1] ?? "";
    for (let sent = 0; sent < 2; sent++) expect((await browser.send(`${orderPath}/extend`, { pay_by: payBy })).to).toBe(orderPath);
    const later = /name="pay_by" value="([^"]+)"/.exec((await browser.open(orderPath)).text)?.[1] ?? "";
    expect(Date.parse(later) - Date.parse(payBy)).toBe(60_000);
    const asked = await browser.open(`${orderPath}?cancel`);
    expect(asked.text).toContain(`action="${orderPath}/cancel"`);
    expect((await browser.send(`${orderPath}/cancel`, {})).to).toBe(orderPath);
    expect(stateOf(await browser.open(orderPath))).toBe("cancelled");
    const paying = await browser.send(`${orderPath}/payments`, { scenario: "success" });
    expect(paying.status).toBe(409);
    expect(paying.text).toContain("can no longer be paid");
    expect(stateOf(await browser.open(`/plain/en/s/${saleId}`))).toBe("ON_SALE");
  });

  test("a form that is sent twice is one purchase, one that was refused may be sent anew with another key", async () => {
    const saleId = await liveSale({ stock: 1, per_buyer_limit: 1 });
    api.time.nowMs += 1_000;
    const [browser, late] = [new PlainBrowser(), new PlainBrowser()];
    await browser.register("plain3");
    await late.register("plain4");
    const [key, lateKey] = [keyOf(await browser.open(`/plain/en/s/${saleId}`)), keyOf(await late.open(`/plain/en/s/${saleId}`))];
    const first = await browser.send(`/plain/en/s/${saleId}`, { key });
    const second = await browser.send(`/plain/en/s/${saleId}`, { key });
    expect([first.status, second.to]).toEqual([303, first.to]);
    const refused = await late.send(`/plain/en/s/${saleId}`, { key: lateKey });
    expect([refused.status, stateOf(refused)]).toEqual([409, "OUT_HELD"]);
    expect(refused.text).toContain("Not this time: All units are taken");
    await browser.send(`${first.to}/cancel`, {});
    const again = await late.open(`/plain/en/s/${saleId}`);
    expect(stateOf(again)).toBe("ON_SALE");
    expect(keyOf(again)).not.toBe(lateKey);
  });

  test("a form whose outcome is not known keeps its key until it is, whatever else is heard meanwhile", async () => {
    const saleId = await liveSale();
    api.time.nowMs += 1_000;
    const browser = new PlainBrowser();
    await browser.register("unsure");
    const path = `/plain/en/s/${saleId}`;
    const key = keyOf(await browser.open(path));
    const spy = spyOn(api.deps.acceptance, "submit");
    try {
      spy.mockImplementation(async (_, movements) => movements.map(() => ({ kind: "unknown" })));
      const unknown = await browser.send(path, { key, quantity: "2" });
      expect([unknown.status, stateOf(unknown), keyOf(unknown)]).toEqual([504, "UNKNOWN", key]);
      expect(unknown.text).toContain('name="quantity" value="2"');
      spy.mockImplementation(async (_, movements) => movements.map(() => ({ kind: "not_tried", cause: "busy" })));
      const busy = await browser.send(path, { key, quantity: "2", unknown: "1" });
      expect([busy.status, stateOf(busy), keyOf(busy)]).toEqual([503, "UNKNOWN", key]);
    } finally {
      spy.mockRestore();
    }
    const known = await browser.send(path, { key, quantity: "2", unknown: "1" });
    expect([known.status, known.to]).toEqual([303, expect.stringContaining("/plain/en/orders/")]);
    expect((await api.ask("GET", `/api/v1/sales/${saleId}`)).data["stock"]).toMatchObject({ available: 3, held: 2 });
  });

  test("a form whose answer was lost, and that counted, leads to its order", async () => {
    const saleId = await liveSale();
    api.time.nowMs += 1_000;
    const browser = new PlainBrowser();
    await browser.register("lost");
    const path = `/plain/en/s/${saleId}`;
    const key = keyOf(await browser.open(path));
    const { acceptance } = api.deps;
    const submit = acceptance.submit.bind(acceptance);
    const spy = spyOn(acceptance, "submit");
    try {
      spy.mockImplementation(async (sale, movements, options) => {
        await submit(sale, movements, options);
        return movements.map(() => ({ kind: "unknown" }));
      });
      expect((await browser.send(path, { key })).to).toStartWith("/plain/en/orders/");
    } finally {
      spy.mockRestore();
    }
  });

  test("a form that was not tried may be sent again as it is", async () => {
    const saleId = await liveSale();
    api.time.nowMs += 1_000;
    const browser = new PlainBrowser();
    await browser.register("busy");
    const path = `/plain/en/s/${saleId}`;
    const key = keyOf(await browser.open(path));
    const spy = spyOn(api.deps.acceptance, "submit");
    try {
      spy.mockImplementation(async (_, movements) => movements.map(() => ({ kind: "not_tried", cause: "busy" })));
      const busy = await browser.send(path, { key });
      expect([busy.status, stateOf(busy), keyOf(busy), busy.headers.get("retry-after")]).toEqual([503, "ON_SALE", key, "1"]);
      expect(busy.text).toContain("The server is busy. Nothing was taken");
    } finally {
      spy.mockRestore();
    }
    expect((await browser.send(path, { key })).status).toBe(303);
  });

  test("what no form of ours says is answered by a page, and takes nothing", async () => {
    const saleId = await liveSale();
    api.time.nowMs += 1_000;
    const browser = new PlainBrowser();
    await browser.register("odd");
    const path = `/plain/en/s/${saleId}`;
    const key = keyOf(await browser.open(path));
    for (const fields of [
      { key, quantity: "0" },
      { key, quantity: "-1" },
      { key, quantity: "many" },
      { key: "" },
      { quantity: "1" },
    ] as const) {
      const answer = await browser.send(path, fields);
      expect([answer.status, stateOf(answer)]).toEqual([400, "ON_SALE"]);
      expect(answer.text).toContain("Your last click had no effect");
    }
    const { to } = await browser.send(path, { key, quantity: "1" });
    const other = await browser.send(path, { key, quantity: "2" });
    expect([other.status, other.text.includes("asked for before, with another quantity")]).toEqual([422, true]);
    for (const payBy of ["", "yesterday", "2030-01-01T00:00:00.000Z"])
      expect((await browser.send(`${to}/extend`, { pay_by: payBy })).to).toBe(to);
    const large = await browser.send(path, { key, quantity: "1", more: "x".repeat(5_000) });
    expect([large.status, large.headers.get("content-type")]).toEqual([413, "text/html; charset=utf-8"]);
  });

  test("what is wrong with a form stands in it, and the name that was given", async () => {
    const browser = new PlainBrowser();
    await browser.register("plain5");
    const taken = await browser.send("/plain/en/register", { username: "plain5", password });
    expect([taken.status, taken.to]).toEqual([409, null]);
    expect(taken.text).toContain('role="alert"');
    expect(taken.text).toContain('value="plain5"');
    const wrong = await new PlainBrowser().send("/plain/en/sign-in", { username: "plain5", password: "not this one at all" });
    expect([wrong.status, wrong.headers.get("set-cookie")]).toEqual([401, null]);
    expect(wrong.text).not.toContain("not this one at all");
  });

  test("after signing in one gets to a page of ours and to no other", async () => {
    const browser = new PlainBrowser();
    await browser.register("plain6");
    for (const next of ["https://evil.test/", "//evil.test/en/", "/api/v1/account", "/plain/../en/"]) {
      const { to } = await browser.send(`/plain/en/sign-in?next=${encodeURIComponent(next)}`, { username: "plain6", password });
      expect(to).toBe("/plain/en/account");
    }
    expect((await browser.open("/plain/en/account")).text).toContain("plain6");
    expect((await browser.send("/plain/en/account", {})).to).toBe("/en/");
    expect((await browser.open("/plain/en/account")).to).toBe("/plain/en/sign-in?next=%2Fplain%2Fen%2Faccount");
  });

  test("somebody else's order is not there, nor is what is no page", async () => {
    const saleId = await liveSale();
    api.time.nowMs += 1_000;
    const [browser, other] = [new PlainBrowser(), new PlainBrowser()];
    await browser.register("plain7");
    await other.register("plain8");
    const { to } = await browser.send(`/plain/en/s/${saleId}`, { key: keyOf(await browser.open(`/plain/en/s/${saleId}`)) });
    expect((await other.open(to ?? "")).status).toBe(404);
    expect((await other.send(`${to}/cancel`, {})).status).toBe(404);
    for (const path of [
      "/plain/en",
      "/plain/en/what",
      "/plain/en/s/1",
      "/plain/en/s/x/y",
      "/plain/en/orders/..%2f..",
      "/plain/en/orders/1/2/3",
    ])
      expect([path, (await browser.open(path)).status]).toEqual([path, 404]);
    expect((await browser.send(`${to}/refunds`, {})).status).toBe(404);
    expect((await browser.send(`${to}/payments`, { scenario: "x".repeat(5_000) })).status).toBe(413);
  });

  test.each(["/en/orders", "/en/orders/9223372036854775", "/zh-CN/account", "/en/sign-in"])("%s leads there by itself", async (path) => {
    const shell = await (await api.send("GET", path, {})).text();
    expect(shell).toContain('<noscript><meta http-equiv="refresh" content="0;url=?plain"></noscript>');
    const led = await api.send("GET", `${path}?plain`, {});
    expect([led.status, led.headers.get("location")]).toEqual([302, `/plain${path}`]);
  });

  test("a sale's page says the way, and leads nobody; its button, until its program runs, leads there", async () => {
    const saleId = await liveSale();
    const text = await (await api.send("GET", `/en/s/${saleId}`, {})).text();
    expect(text).toContain(`<form action="/plain/en/s/${saleId}">`);
    expect(text).toContain('<noscript><p><a href="?plain">');
    expect(text).not.toContain("http-equiv");
  });
});

describe("[SF18] who looks", () => {
  test("is in a cookie that scripts cannot read, and that goes to these pages alone", async () => {
    const browser = new PlainBrowser();
    const { headers } = await browser.send("/plain/en/register", { username: "cookie1", password });
    expect(headers.get("set-cookie")).toMatch(/^doorbuster_plain=[^;]+; Path=\/plain; Max-Age=5184000; HttpOnly; SameSite=Strict; Secure$/);
  });

  test("a form of another site's page counts for nothing", async () => {
    const saleId = await liveSale({ stock: 1 });
    api.time.nowMs += 1_000;
    const browser = new PlainBrowser();
    await browser.register("cookie2");
    const key = keyOf(await browser.open(`/plain/en/s/${saleId}`));
    for (const headers of [{ origin: "https://evil.test" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }]) {
      const answer = await browser.send(`/plain/en/s/${saleId}`, { key }, headers);
      expect([answer.status, answer.to, answer.headers.get("content-type")]).toEqual([403, null, "text/html; charset=utf-8"]);
    }
    expect((await api.ask("GET", `/api/v1/sales/${saleId}`)).data["stock"]).toMatchObject({ available: 1, held: 0 });
    expect((await browser.send(`/plain/en/s/${saleId}`, { key })).status).toBe(303);
  });

  test("tokens that ran out are renewed on the way; a session that has ended is nobody's", async () => {
    const browser = new PlainBrowser();
    await browser.register("cookie3");
    const before = browser.cookie;
    api.time.nowMs += 11 * 60_000;
    const account = await browser.open("/plain/en/account");
    expect([account.status, browser.cookie === before]).toEqual([200, false]);
    expect((await browser.open("/plain/en/account")).headers.get("set-cookie")).toBeNull();
    browser.cookie = "doorbuster_plain=no~such";
    const over = await browser.open("/plain/en/orders");
    expect([over.status, over.to, browser.cookie]).toEqual([303, "/plain/en/sign-in?next=%2Fplain%2Fen%2Forders", "doorbuster_plain="]);
  });
});
