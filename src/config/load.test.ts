import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { optionsPagePath, renderOptionsPage } from "../../scripts/options-page.ts";
import { renderEnvExample } from "./env-example.ts";
import { demoApiKey, loadConfig, readConfig } from "./load.ts";

const readText = (path: string): string => {
  if (path === "/run/key") return "a-secret-from-a-file-0123456789abcdef\n";
  throw new Error("no such file");
};
const load = (environment: Record<string, string>, text?: string, commandDefaults?: Record<string, string>) =>
  loadConfig({ environment, readText, commandDefaults, file: text === undefined ? undefined : { name: "doorbuster.yaml", text } });

test("without any setting the defaults hold, and they are safe ones", () => {
  expect(load({})).toMatchObject({
    kind: "loaded",
    config: {
      env: "production",
      mode: "embedded",
      httpHost: "127.0.0.1",
      httpPort: 8083,
      dataDir: "./var",
      corsOrigins: [],
      apiKey: undefined,
    },
  });
});

test("the environment wins over the file, the file over the default", () => {
  const loaded = load(
    { DOORBUSTER_HTTP_PORT: "9000" },
    "http:\n  port: 9001\n  host: 0.0.0.0\ncors:\n  origins: [https://a.example, https://b.example]\n",
  );
  expect(loaded).toMatchObject({
    kind: "loaded",
    config: { httpPort: 9000, httpHost: "0.0.0.0", corsOrigins: ["https://a.example", "https://b.example"] },
  });
});

test("a secret may come from a file", () => {
  expect(load({ DOORBUSTER_API_KEY_FILE: "/run/key" })).toMatchObject({
    kind: "loaded",
    config: { apiKey: "a-secret-from-a-file-0123456789abcdef" },
  });
});

const demo = { DOORBUSTER_ENV: "development", DOORBUSTER_API_KEY: demoApiKey };
const own = "a-secret-from-a-file-0123456789abcdef";

test("a command's own defaults hold where nobody sets anything, and give way to every way of setting", () => {
  const keyOf = (environment: Record<string, string>, text?: string) => {
    const loaded = load(environment, text, demo);
    return loaded.kind === "loaded" ? [loaded.config.env, loaded.config.apiKey] : loaded.problems;
  };
  expect(keyOf({})).toEqual(["development", demoApiKey]);
  expect(keyOf({ DOORBUSTER_API_KEY: own })).toEqual(["development", own]);
  expect(keyOf({ DOORBUSTER_API_KEY_FILE: "/run/key" })).toEqual(["development", own]);
  expect(keyOf({}, `env: production\napi:\n  key: ${own}\n`)).toEqual(["production", own]);
});

type Mistake = [title: string, environment: Record<string, string>, file: string | undefined, said: string];
const mistakes: Mistake[] = [
  [
    "a port out of bounds",
    { DOORBUSTER_HTTP_PORT: "70000" },
    undefined,
    'DOORBUSTER_HTTP_PORT: expected an integer from 0 to 65535, got "70000"',
  ],
  [
    "a port that is no number",
    { DOORBUSTER_HTTP_PORT: "8e3" },
    undefined,
    'DOORBUSTER_HTTP_PORT: expected an integer from 0 to 65535, got "8e3"',
  ],
  [
    "a trusted proxy that is no address",
    { DOORBUSTER_TRUSTED_PROXIES: "10.0.0.0/8, proxy.example" },
    undefined,
    'DOORBUSTER_TRUSTED_PROXIES: expected addresses or ranges like 10.0.0.0/8 that do not hold everybody, got "10.0.0.0/8, proxy.example"',
  ],
  ["trust in everybody", { DOORBUSTER_TRUSTED_PROXIES: "0.0.0.0/0" }, undefined, "DOORBUSTER_TRUSTED_PROXIES: expected addresses"],
  [
    "a misspelt choice",
    { DOORBUSTER_ENV: "developmnt" },
    undefined,
    'DOORBUSTER_ENV: expected one of development, production, got "developmnt"; did you mean "development"?',
  ],
  ["an unknown mode", { DOORBUSTER_MODE: "cluster" }, undefined, 'DOORBUSTER_MODE: expected one of embedded, sql, queued, got "cluster"'],
  [
    "a misspelt variable",
    { DOORBUSTER_HTTP_PROT: "1" },
    undefined,
    'DOORBUSTER_HTTP_PROT: unknown option; did you mean "DOORBUSTER_HTTP_PORT"?',
  ],
  ["a misspelt key in the file", {}, "http:\n  prot: 1\n", 'doorbuster.yaml: unknown option "http.prot"; did you mean "http.port"?'],
  ["a file that is not YAML", {}, "http: [", "doorbuster.yaml: not YAML"],
  ["a file that is a list", {}, "- a\n", "doorbuster.yaml: expected options by name"],
  ["a missing secret file", { DOORBUSTER_API_KEY_FILE: "/none" }, undefined, 'DOORBUSTER_API_KEY_FILE: the file "/none" cannot be read'],
  [
    "a secret given twice",
    { DOORBUSTER_API_KEY: "0123456789abcdef0123456789abcdef", DOORBUSTER_API_KEY_FILE: "/run/key" },
    undefined,
    "DOORBUSTER_API_KEY and DOORBUSTER_API_KEY_FILE are both set: keep one",
  ],
  [
    "a short secret, without showing it",
    { DOORBUSTER_TOKEN_SECRET: "short" },
    undefined,
    "DOORBUSTER_TOKEN_SECRET: expected at least 32 characters, got a value that is not",
  ],
  [
    "the demo key in production",
    { DOORBUSTER_API_KEY: demoApiKey },
    undefined,
    "DOORBUSTER_API_KEY: a default or guessable value is refused in production",
  ],
  [
    "a placeholder in production",
    { DOORBUSTER_API_KEY: "please-CHANGE-ME-0123456789-0123456789" },
    undefined,
    "DOORBUSTER_API_KEY: a default or guessable value is refused in production",
  ],
  [
    "a short piece over and over in production",
    { DOORBUSTER_TOKEN_SECRET: "passwordpasswordpasswordpassword" },
    undefined,
    "DOORBUSTER_TOKEN_SECRET: a default or guessable value is refused in production",
  ],
  [
    "a short key in production",
    { DOORBUSTER_API_KEY: "0123456789abcdef01" },
    undefined,
    "DOORBUSTER_API_KEY: expected at least 32 characters in production",
  ],
  [
    "a key longer than any that is checked",
    { DOORBUSTER_API_KEY: "0123456789abcdef".repeat(17) },
    undefined,
    "DOORBUSTER_API_KEY: expected at most 256 printable characters without spaces, got a value that is not",
  ],
  [
    "a key that no header can carry",
    { DOORBUSTER_API_KEY: "schlüssel-0123456789abcdef0123456789" },
    undefined,
    "DOORBUSTER_API_KEY: expected at most 256 printable characters without spaces, got a value that is not",
  ],
  ["sql mode without a database", { DOORBUSTER_MODE: "sql" }, undefined, "DOORBUSTER_DATABASE_URL: expected in sql mode, got nothing"],
  [
    "a database that nothing uses",
    { DOORBUSTER_DATABASE_URL: "mysql://a:b@db/shop" },
    undefined,
    "DOORBUSTER_DATABASE_URL: set, but in embedded mode nothing uses it; did you mean DOORBUSTER_MODE=sql?",
  ],
  [
    "a database of another kind",
    { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: "mongodb://a:b@db/shop" },
    undefined,
    "DOORBUSTER_DATABASE_URL: expected mysql://user:password@host:port/database or postgres://…, with %25 for % and %40 for @ in a password, got a value that is not",
  ],
  ...["mysql://a:100%@db/shop", "mysql://a:100%zz@db/shop", "postgres://a:%ff@db/shop", "postgres://a:b@db:70000/shop"].map(
    (url): Mistake => [
      `an address that no driver can read (${url})`,
      { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: url },
      undefined,
      "with %25 for % and %40 for @ in a password, got a value that is not",
    ],
  ),
  [
    "a database whose password everybody knows",
    { DOORBUSTER_MODE: "sql", DOORBUSTER_DATABASE_URL: "mysql://root:root@db/shop" },
    undefined,
    "DOORBUSTER_DATABASE_URL: a password that everybody knows is refused in production",
  ],
  ["a role that there is not", { DOORBUSTER_ROLES: "api,sweeper" }, undefined, "DOORBUSTER_ROLES: expected api, worker, or both"],
  [
    "half a process in embedded mode",
    { DOORBUSTER_ROLES: "api" },
    undefined,
    "DOORBUSTER_ROLES: expected api and worker in embedded mode, for one process does everything there",
  ],
  ["a bad shop name", { DOORBUSTER_SHOP: "My Shop" }, undefined, "DOORBUSTER_SHOP: expected lower-case letters"],
];
test.each(mistakes)("%s is named before start", (_title, environment, text, line) => {
  const loaded = load(environment, text);
  expect(loaded.kind).toBe("wrong");
  expect(loaded.kind === "wrong" && loaded.problems).toEqual([expect.stringContaining(line)]);
});

test("all mistakes are told at once", () => {
  const loaded = load({ DOORBUSTER_HTTP_PORT: "x", DOORBUSTER_MODE: "y" });
  expect(loaded.kind === "wrong" && loaded.problems.length).toBe(2);
});

test("[C1] each mode wants the addresses of what it is built on, and no others", () => {
  const addresses = {
    DOORBUSTER_DATABASE_URL: "mysql://shop:Zq3x@db.example/shop",
    DOORBUSTER_REDIS_URL: "redis://:Zq3x@cache.example:6379/2",
    DOORBUSTER_BROKER_URL: "amqps://shop:Zq3x@broker.example/sales",
  };
  type Name = keyof typeof addresses;
  const wanted: Readonly<Record<string, readonly Name[]>> = {
    embedded: [],
    sql: ["DOORBUSTER_DATABASE_URL"],
    queued: ["DOORBUSTER_DATABASE_URL", "DOORBUSTER_REDIS_URL", "DOORBUSTER_BROKER_URL"],
  };
  // The table's keys are its type's.
  const names = Object.keys(addresses) as Name[];
  for (const [mode, needs] of Object.entries(wanted)) {
    const given = Object.fromEntries(needs.map((name) => [name, addresses[name]]));
    expect(load({ DOORBUSTER_MODE: mode, ...given }).kind).toBe("loaded");
    for (const name of names) {
      const changed = needs.includes(name) ? { ...given, [name]: "" } : { ...given, [name]: addresses[name] };
      const loaded = load({ DOORBUSTER_MODE: mode, ...changed });
      const problems = loaded.kind === "wrong" ? loaded.problems : [];
      expect([mode, name, problems.length, problems[0]?.startsWith(name)]).toEqual([mode, name, 1, true]);
    }
  }
});

test("[E5] the demo key is for development", () => {
  expect(load({ DOORBUSTER_ENV: "development", DOORBUSTER_API_KEY: demoApiKey }).kind).toBe("loaded");
});

test(".env.example says what the table says", () => {
  expect(readFileSync(join(import.meta.dirname, "../../.env.example"), "utf8")).toBe(renderEnvExample());
});

test("[H7] docs/configuration.md says what the table says (npm run fix writes it)", () => {
  expect(readFileSync(optionsPagePath, "utf8")).toBe(renderOptionsPage());
});

test("the file that docs/configuration.md shows is one that loads, with every default as it is", () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(renderOptionsPage())?.[1] ?? "";
  expect(load({}, yaml)).toEqual(load({}));
});

test("what can be read of a broken configuration is read, each mistake of its kind, and files with secrets are named", () => {
  const environment = { DOORBUSTER_HTTP_PORT: "x", DOORBUSTER_HTTP_HOST: "::1", DOORBUSTER_SHPO: "a", DOORBUSTER_API_KEY_FILE: "/run/key" };
  const file = { name: "doorbuster.yaml", text: `token:\n  secret: ${own}\n` };
  const { config, problems, secretFiles } = readConfig({ environment, file, readText });
  expect(config).toMatchObject({ httpHost: "::1", httpPort: 8083, apiKey: own });
  expect(problems.map(({ kind, text }) => [kind, text.split(":")[0]])).toEqual([
    ["wrong", "DOORBUSTER_HTTP_PORT"],
    ["unknown", "DOORBUSTER_SHPO"],
  ]);
  expect(secretFiles).toEqual([
    { path: "/run/key", source: "DOORBUSTER_API_KEY_FILE" },
    { path: "doorbuster.yaml", source: "configuration file" },
  ]);
  const known = readConfig({ environment: { DOORBUSTER_API_KEY: demoApiKey }, readText });
  expect(known.problems.map(({ kind }) => kind)).toEqual(["unsafe"]);
});

const problemsOf = (environment: Record<string, string>): readonly string[] => {
  const loaded = load(environment);
  return loaded.kind === "wrong" ? loaded.problems : [];
};

test("options of the shop's sign-in stand together, over TLS unless on this machine; no shop is called local", () => {
  const jwks = { DOORBUSTER_JWKS_ISSUER: "https://id.shop.test/", DOORBUSTER_JWKS_AUDIENCE: "doorbuster" };
  expect(load({ ...jwks, DOORBUSTER_JWKS_URL: "https://id.shop.test/keys" }).kind).toBe("loaded");
  expect(load({ ...jwks, DOORBUSTER_JWKS_URL: "http://localhost:9000/keys" }).kind).toBe("loaded");
  expect(problemsOf({ ...jwks, DOORBUSTER_JWKS_URL: "http://id.shop.test/keys" })).toEqual([expect.stringContaining("https")]);
  expect(problemsOf(jwks)).toEqual([expect.stringContaining("DOORBUSTER_JWKS_URL")]);
  expect(problemsOf({ DOORBUSTER_SHOP: "local" })).toEqual([expect.stringContaining("DOORBUSTER_SHOP")]);
});

test.each(["DOORBUSTER_TOKEN_SECRET_PREVIOUS", "DOORBUSTER_ACCOUNT_SECRET", "DOORBUSTER_ADMIN_PASSWORD"])(
  "[E5] a guessable %s is refused in production",
  (name) => expect(problemsOf({ [name]: "a".repeat(40) })).toEqual([expect.stringContaining("guessable")]),
);
