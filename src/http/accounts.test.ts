import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { openMemoryApi, shopKey, type Call, type MemoryApi, type Told } from "../../tests/harness/memory-api.ts";
import { codeOf, goodPassword, memoryPeople } from "../../tests/kit/account-world.ts";
import { must } from "../../tests/kit/samples.ts";
import { createStaff } from "../engine/accounts/staff.ts";

let api: MemoryApi;
beforeEach(async () => {
  api = await openMemoryApi();
});
afterEach(() => api.close());

const login = "/api/v1/auth/login";
const refresh = "/api/v1/auth/refresh";
let guest = 0;
/** Each call from an address of its own, so that the limit of addresses stays out of what is not about it. */
const post = (path: string, json: unknown, call: Call = {}) =>
  api.ask("POST", path, { peer: `198.51.100.${++guest % 250}`, json, ...call });
const join = (username: string) => post("/api/v1/auth/register", { username, password: goodPassword });
const enter = async (username: string, more: object = {}, call?: Call) => post(login, { username, password: goodPassword, ...more }, call);

async function signedIn(username = "ann"): Promise<{ token: string; refreshToken: string; id: string }> {
  await join(username);
  return grantOf(await enter(username));
}

function grantOf({ status, data, text }: Told) {
  if (status !== 200) throw new Error(text);
  const account = data["account"] as { id: string };
  return { token: String(data["token"]), refreshToken: String(data["refresh_token"]), id: account.id };
}

/** A signed-in account in a role, with its second factor where the role asks for one. */
async function staff(role: "admin" | "operator" | "auditor" | "merchant", username = role as string) {
  const merchant = role === "merchant" ? "shop" : undefined;
  const made = await createStaff({ ...api.deps, ...api.people }, { username, password: goodPassword, role, merchant });
  if (made.kind !== "added") throw new Error(made.kind);
  const first = grantOf(await enter(username));
  if (role === "auditor" || role === "merchant") return first;
  const enrolled = await post("/api/v1/account/totp", { password: goodPassword }, { bearer: first.token });
  const code = codeOf(String(enrolled.data["secret"]), api.time.nowMs);
  const confirmed = await post("/api/v1/account/totp/confirm", { code }, { bearer: first.token });
  if (confirmed.status !== 200) throw new Error(confirmed.text);
  return grantOf(await post(refresh, { refresh_token: first.refreshToken }));
}

describe("accounts", () => {
  test("[E1] somebody registers, logs in, reads itself, changes its name, goes on, and logs out", async () => {
    const made = await join("Ann");
    expect([made.status, made.data["username"], made.data["role"]]).toEqual([201, "Ann", "buyer"]);
    expect((await join("ANN")).data["reason"]).toBe("username_taken");
    const { token, refreshToken, id } = grantOf(await enter("ann"));
    expect((await api.ask("GET", "/api/v1/account", { bearer: token })).data).toMatchObject({ id, totp: false });
    const renamed = await api.ask("PATCH", "/api/v1/account", { bearer: token, json: { display_name: "安" } });
    expect(renamed.data["display_name"]).toBe("安");
    const next = grantOf(await post(refresh, { refresh_token: refreshToken }));
    expect(next.refreshToken).not.toBe(refreshToken);
    const out = await post("/api/v1/auth/logout", {}, { bearer: next.token });
    expect(out.data).toEqual({ sessions_ended: 1 });
    expect((await api.ask("GET", "/api/v1/account", { bearer: token })).status).toBe(401);
    expect((await post(refresh, { refresh_token: next.refreshToken })).data["reason"]).toBe("session_over");
  });

  test("[E1] of many changes of one account at once some are made, and the others are told to come again", async () => {
    const { token } = await signedIn();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => api.ask("PATCH", "/api/v1/account", { bearer: token, json: { display_name: `n${i}` } })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
  });

  test("[E1] an account buys and sees its own orders; another account does not", async () => {
    const { saleId } = await api.openSale({ nowMs: api.time.nowMs });
    const [ann, bob] = [await signedIn("ann"), await signedIn("bob")];
    const bought = await post(`/api/v1/sales/${saleId}/purchases`, {}, { bearer: ann.token });
    expect(bought.status).toBe(201);
    const path = `/api/v1/orders/${String(bought.data["id"])}`;
    expect((await api.ask("GET", path, { bearer: ann.token })).status).toBe(200);
    expect((await api.ask("GET", path, { bearer: bob.token })).status).toBe(404);
  });

  test("[AC3] a wrong password, a wrong name and a name that cannot be get the same answer", async () => {
    await join("ann");
    const answers = [];
    for (const username of ["ann", "nobody", "", "x".repeat(4000)])
      answers.push((await enter(username, { password: "wrong but long" })).text);
    expect(new Set(answers).size).toBe(1);
  });

  test("[AC5] the sixth try says when to come again, and no header changes who one is", async () => {
    const statuses = [];
    for (let i = 0; i < 21; i++) {
      const headers = { "X-Forwarded-For": `10.0.0.${i}`, Forwarded: `for=10.0.1.${i}` };
      const tried = await post(login, { username: `n${i}`, password: "wrong but long" }, { peer: "203.0.113.7", headers });
      statuses.push(tried.status);
    }
    expect(statuses).toEqual([...Array(20).fill(401), 429]);
    for (let i = 0; i < 5; i++) await enter("ann", { password: "wrong but long" });
    const limited = await enter("ann");
    expect([limited.status, limited.headers.get("retry-after"), limited.data["reason"]]).toEqual([429, "60", "too_many_tries"]);
  });

  test("[AC8] a session of one's own is listed and ended; somebody else's is none", async () => {
    const [ann, bob] = [await signedIn("ann"), await signedIn("bob")];
    const other = grantOf(await enter("ann"));
    const list = async (bearer: string) =>
      (await api.ask("GET", "/api/v1/account/sessions", { bearer })).data["items"] as { id: string; current: boolean }[];
    const sessions = await list(ann.token);
    expect(sessions.map(({ current }) => current)).toEqual([false, true]);
    const path = `/api/v1/account/sessions/${must(sessions[0]).id}`;
    expect((await api.ask("DELETE", path, { bearer: bob.token })).status).toBe(404);
    expect((await api.ask("DELETE", path, { bearer: ann.token })).status).toBe(200);
    expect((await api.ask("DELETE", path, { bearer: ann.token })).data["reason"]).toBe("session_unknown");
    expect((await api.ask("GET", "/api/v1/account", { bearer: other.token })).status).toBe(401);
    expect(await list(ann.token)).toHaveLength(1);
  });

  test("[AC8] a new password and erasing ask for the old one", async () => {
    const { token } = await signedIn();
    const change = (password: string) =>
      api.ask("PUT", "/api/v1/account/password", { bearer: token, json: { password, new_password: "seven lemons in a row" } });
    expect((await change("wrong but long")).data["reason"]).toBe("credentials_wrong");
    expect((await change(goodPassword)).status).toBe(200);
    expect((await post("/api/v1/account/erase", { password: "seven lemons in a row" }, { bearer: token })).status).toBe(200);
    expect((await api.ask("GET", "/api/v1/account", { bearer: token })).status).toBe(401);
  });

  test("[AC9] who logged out or was banned is refused on the hot path, too", async () => {
    const { saleId } = await api.openSale({ nowMs: api.time.nowMs });
    const [ann, bob, admin] = [await signedIn("ann"), await signedIn("bob"), await staff("admin")];
    const buy = async ({ token }: { token: string }) => (await post(`/api/v1/sales/${saleId}/purchases`, {}, { bearer: token })).status;
    await post("/api/v1/auth/logout", { all: true }, { bearer: ann.token });
    expect(await buy(ann)).toBe(401);
    expect((await post(`/api/v1/accounts/${bob.id}/ban`, { reason: "resells" }, { bearer: admin.token })).data["banned"]).toMatchObject({
      reason: "resells",
    });
    expect(await buy(bob)).toBe(401);
    expect((await enter("bob")).data["reason"]).toBe("account_banned");
    expect((await post(`/api/v1/accounts/${bob.id}/unban`, {}, { bearer: admin.token })).data["banned"]).toBeNull();
    expect(await buy(grantOf(await enter("bob")))).toBe(201);
  });

  test("[AC11] an admin manages nothing before its second factor is confirmed", async () => {
    await createStaff({ ...api.deps, ...api.people }, { username: "root", password: goodPassword, role: "admin", merchant: undefined });
    const before = await enter("root");
    expect(before.data["totp_required"]).toBe(true);
    expect((await api.ask("GET", "/api/v1/accounts", { bearer: String(before.data["token"]) })).status).toBe(403);
    const after = await staff("admin");
    const found = await api.ask("GET", "/api/v1/accounts?role=admin", { bearer: after.token });
    expect(found.data).toMatchObject({ total: 2 });
    expect((await post(login, { username: "admin", password: goodPassword })).data["reason"]).toBe("code_required");
  });

  test("[AC10] an admin makes staff and changes roles, of others only", async () => {
    const admin = await staff("admin");
    const made = await post(
      "/api/v1/accounts",
      { username: "mia", password: goodPassword, role: "merchant", merchant: "shop" },
      { bearer: admin.token },
    );
    expect(made.data).toMatchObject({ role: "merchant", merchant: "shop" });
    const role = (id: string, json: object) => api.ask("PUT", `/api/v1/accounts/${id}/role`, { bearer: admin.token, json });
    expect((await role(String(made.data["id"]), { role: "merchant", merchant: "nowhere" })).status).toBe(422);
    expect((await role(String(made.data["id"]), { role: "auditor" })).data).toMatchObject({ role: "auditor", merchant: null });
    expect((await role(admin.id, { role: "buyer" })).status).toBe(403);
  });
});

describe("the refresh token in a cookie", () => {
  const cookieOf = (told: Told) => told.headers.get("set-cookie") ?? "";
  const valueOf = (told: Told) => cookieOf(told).split(";")[0] ?? "";
  const own = { origin: "http://shop.test", "sec-fetch-site": "same-origin", host: "shop.test" };

  test("[AC22] is hidden from scripts, of this site and these paths, and not in the answer", async () => {
    await join("ann");
    const entered = await enter("ann", { cookie: true });
    expect(entered.data["refresh_token"]).toBeNull();
    expect(cookieOf(entered)).toMatch(
      /^doorbuster_refresh=dbr_[\w.-]+; Path=\/api\/v1\/auth; Max-Age=5184000; HttpOnly; SameSite=Strict; Secure$/,
    );
    const next = await post(refresh, {}, { headers: { ...own, cookie: `theme=dark; ${valueOf(entered)}` } });
    expect([next.status, next.data["refresh_token"]]).toEqual([200, null]);
    expect(valueOf(next)).not.toBe(valueOf(entered));
    const out = await post("/api/v1/auth/logout", {}, { headers: { ...own, cookie: valueOf(next) } });
    expect(out.data).toEqual({ sessions_ended: 1 });
    expect(cookieOf(out)).toContain("doorbuster_refresh=; Path=/api/v1/auth; Max-Age=0;");
  });

  test.each([
    ["no origin", { origin: undefined }],
    ["the origin null", { origin: "null" }],
    ["another site", { origin: "https://evil.test" }],
    ["a site that ends like ours", { origin: "https://evilshop.test" }],
    ["a site that begins like ours", { origin: "https://shop.test.evil.test" }],
    ["our name before an @", { origin: "https://shop.test@evil.test" }],
    ["another port", { origin: "http://shop.test:8080" }],
    ["a neighbouring site, by the browser's word", { "sec-fetch-site": "same-site" }],
    ["a foreign site, by the browser's word", { "sec-fetch-site": "cross-site" }],
    ["no page, by the browser's word", { "sec-fetch-site": "none" }],
  ])("[AC22] does not count in a request of %s, whose session goes on", async (_, change) => {
    await join("ann");
    const entered = await enter("ann", { cookie: true });
    const headers = Object.fromEntries(
      Object.entries({ ...own, ...change, cookie: valueOf(entered) }).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
    for (const path of [refresh, "/api/v1/auth/logout"]) expect((await post(path, {}, { headers })).status).toBe(403);
    expect((await post(refresh, {}, { headers: { ...own, cookie: valueOf(entered) } })).status).toBe(200);
  });

  test("[AC22] given twice, or not of ours, is no token", async () => {
    await join("ann");
    const value = valueOf(await enter("ann", { cookie: true }));
    for (const cookie of [`${value}; ${value}`, "doorbuster_refresh=", "doorbuster_refresh=dbr_1.x.y", `x${value}`])
      expect((await post(refresh, {}, { headers: { ...own, cookie } })).status).toBe(401);
  });
});

describe("shops and keys", () => {
  test("[AC15] an admin opens and renames shops; a merchant sees its own", async () => {
    const [admin, merchant] = [await staff("admin"), await staff("merchant")];
    const open = (id: string) => post("/api/v1/merchants", { id, name: "Lamps" }, { bearer: admin.token });
    expect((await open("lamps")).status).toBe(201);
    expect((await open("lamps")).data["reason"]).toBe("merchant_exists");
    expect((await open("local")).status).toBe(422);
    expect((await open("Lamps")).status).toBe(422);
    const renamed = await api.ask("PATCH", "/api/v1/merchants/lamps", { bearer: admin.token, json: { name: "Lights" } });
    expect(renamed.data["name"]).toBe("Lights");
    const names = async (bearer: string) =>
      ((await api.ask("GET", "/api/v1/merchants", { bearer })).data["items"] as { id: string }[]).map(({ id }) => id);
    expect(await names(admin.token)).toEqual(["lamps", "other", "shop"]);
    expect(await names(merchant.token)).toEqual(["shop"]);
  });

  test("[AC16] a key is made, does what its scopes say in its shop, is rotated, and ends when it is revoked", async () => {
    const merchant = await staff("merchant");
    const made = await post("/api/v1/keys", { name: "till", scopes: ["buyers:act", "orders:read"] }, { bearer: merchant.token });
    expect([made.status, made.data["merchant"]]).toEqual([201, "shop"]);
    const key = String(made.data["key"]);
    const granted = await post("/api/v1/tokens", { user_id: "u-1" }, { key });
    expect(granted.status).toBe(201);
    expect((await post("/api/v1/products", { name: "Lamp", price_minor: 1, currency: "CNY" }, { key })).status).toBe(403);
    expect((await api.ask("GET", "/api/v1/purchases", { key, userId: "u-1" })).status).toBe(200);
    const rotated = await post(`/api/v1/keys/${String(made.data["id"])}/rotate`, { overlap_seconds: 60 }, { bearer: merchant.token });
    const next = String(rotated.data["key"]);
    const works = async (each: string) => (await post("/api/v1/tokens", { user_id: "u-1" }, { key: each })).status;
    expect([await works(key), await works(next)]).toEqual([201, 201]);
    api.time.nowMs += 60_000;
    expect([await works(key), await works(next)]).toEqual([401, 201]);
    expect((await api.ask("DELETE", `/api/v1/keys/${String(rotated.data["id"])}`, { bearer: merchant.token })).status).toBe(200);
    expect(await works(next)).toBe(401);
    const listed = await api.ask("GET", "/api/v1/keys", { bearer: merchant.token });
    expect(listed.text).not.toContain(key);
    expect(listed.text).not.toContain(next);
    expect((listed.data["items"] as unknown[]).length).toBe(2);
  });

  test("[AC16] nobody hands out more than it has, nor for another's shop, nor changes a key of the configuration", async () => {
    const [merchant, admin] = [await staff("merchant"), await staff("admin")];
    const make = (json: object, call: Call) => post("/api/v1/keys", { name: "x", scopes: ["orders:read"], ...json }, call);
    expect((await make({ merchant: "other" }, { bearer: merchant.token })).status).toBe(403);
    expect((await make({ scopes: ["system:read"] }, { bearer: merchant.token })).status).toBe(403);
    expect((await make({ scopes: ["accounts:manage"] }, { bearer: admin.token })).status).toBe(422);
    expect((await make({ scopes: [] }, { bearer: merchant.token })).status).toBe(422);
    expect((await make({ expires_in_seconds: 5 }, { bearer: merchant.token })).status).toBe(422);
    expect((await make({}, { bearer: admin.token })).status).toBe(422);
    expect((await make({ merchant: "nowhere" }, { bearer: admin.token })).status).toBe(422);
    const theirs = await make({ merchant: "other" }, { bearer: admin.token });
    const path = `/api/v1/keys/${String(theirs.data["id"])}`;
    expect((await api.ask("DELETE", path, { bearer: merchant.token })).data["reason"]).toBe("key_unknown");
    expect((await post(`${path}/rotate`, {}, { bearer: merchant.token })).data["reason"]).toBe("key_unknown");
    expect((await api.ask("DELETE", "/api/v1/keys/bootstrap", { key: shopKey })).status).toBe(400);
    const managing = String((await make({ scopes: ["keys:manage"] }, { bearer: merchant.token })).data["key"]);
    expect((await make({ scopes: ["orders:read"] }, { key: managing })).status).toBe(403);
  });
});

describe("the shop's own tokens", () => {
  test("[AC17] are exchanged if the configuration names their keys, refused without a reason that helps, and 503 without keys", async () => {
    const ask = (token: string) => post("/api/v1/tokens/exchange", { token });
    expect((await ask("theirs")).status).toBe(403);
    await api.close();
    const check = async (token: string, nowMs: number) =>
      token === "good"
        ? ({ kind: "holder", subject: "u-9", expiresAtMs: nowMs + 90_000 } as const)
        : ({ kind: token === "down" ? "unavailable" : "refused", why: "the signature is odd" } as const);
    api = await openMemoryApi({ people: { ...memoryPeople(), foreignShop: { merchant: "shop", tokens: { check } } } });
    const granted = await ask("good");
    expect([granted.status, granted.data["expires_at"]]).toEqual([201, new Date(api.time.nowMs + 90_000).toISOString()]);
    expect((await api.ask("GET", "/api/v1/purchases", { bearer: String(granted.data["token"]) })).status).toBe(200);
    const refused = await ask("bad");
    expect([refused.status, refused.text.includes("odd")]).toEqual([401, false]);
    const down = await ask("down");
    expect([down.status, down.data["reason"], down.headers.get("retry-after")]).toEqual([503, "keys_unavailable", "1"]);
  });
});
