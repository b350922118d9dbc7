/** deploy/compose.yaml by its text: engines that keep what they said yes to, within bounds, for nobody but this machine. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { rootDir } from "./tidy/source-file.ts";

const read = (path: string) => readFileSync(join(rootDir, "deploy", path), "utf8");

type Service = {
  readonly image: string;
  readonly profiles: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly mem_limit: string;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

describe("[G9] deploy/compose.yaml", () => {
  const text = read("compose.yaml");
  const compose: Compose = parse(text, { merge: true });
  const services = Object.entries(compose.services);
  const commandOf = (name: string) => compose.services[name]?.command ?? [];

  /** What an accepted purchase rests on; whoever takes one of these away loses purchases. */
  const durable: Readonly<Record<string, readonly string[]>> = {
    mariadb: [
      "--innodb-flush-log-at-trx-commit=1",
      "--sync-binlog=1",
      "--innodb-doublewrite=1",
      "--transaction-isolation=READ-COMMITTED",
      "--character-set-server=utf8mb4",
      "--wsrep-on=OFF",
    ],
    postgres: ["fsync=on", "synchronous_commit=on", "full_page_writes=on", "default_transaction_isolation=read committed"],
    redis: [
      "--appendonly yes",
      "--appendfsync always",
      "--no-appendfsync-on-rewrite no",
      "--save ",
      "--maxmemory-policy noeviction",
      "--protected-mode yes",
    ],
  };
  const missing = (command: readonly string[], wanted: readonly string[]) => {
    const pairs = new Set([...command, ...command.map((word, i) => `${word} ${command[i + 1] ?? ""}`)]);
    return wanted.filter((setting) => !pairs.has(setting));
  };

  test.each(Object.entries(durable))("%s keeps what it said yes to", (name, wanted) => {
    const command = commandOf(name);
    expect(missing(command, wanted)).toEqual([]);
    // The control: whichever is taken away is noticed.
    for (const setting of wanted) {
      const without = command.filter((word) => word !== setting && word !== setting.split(" ")[0]);
      expect(missing(without, wanted)).toEqual([setting]);
    }
  });

  test("rabbitmq has bounds, no guest, and quorum queues that fit into its memory", () => {
    const settings = new Map(
      [...read("rabbitmq/doorbuster.conf").matchAll(/^([\w.]+) = (.+)$/gm)].map(([, name = "", value = ""]) => [name, value]),
    );
    expect(settings.get("default_user")).toBe("doorbuster");
    expect(settings.has("default_pass")).toBe(false);
    expect(settings.get("vm_memory_high_watermark.absolute")).toBe("600MB");
    expect(settings.get("disk_free_limit.absolute")).toBe("2GB");
    expect(Number(settings.get("raft.wal_max_size_bytes"))).toBeLessThanOrEqual(64_000_000);
  });

  test("each engine is pinned, bounded, looked after, kept on this machine, and has a volume with a name", () => {
    expect(services.map(([name]) => name)).toEqual(["mariadb", "postgres", "redis", "rabbitmq"]);
    for (const [name, { image, ports, volumes, healthcheck, mem_limit: memory }] of services) {
      expect([name, image]).toEqual([name, expect.stringMatching(/^[a-z]+:\d+\.\d+$/)]);
      expect([name, ports.filter((port) => !port.startsWith("127.0.0.1:"))]).toEqual([name, []]);
      expect([name, volumes.some((volume) => Object.hasOwn(compose.volumes, volume.split(":")[0] ?? ""))]).toEqual([name, true]);
      expect([name, healthcheck.test.length > 1, /^\d+[mg]$/.test(memory)]).toEqual([name, true, true]);
    }
  });

  test("an engine starts by its own profile, and one of each kind by queued", () => {
    for (const [name, { profiles }] of services) expect(profiles[0]).toBe(name);
    expect(services.filter(([, { profiles }]) => profiles.includes("queued")).map(([name]) => name)).toEqual([
      "mariadb",
      "redis",
      "rabbitmq",
    ]);
  });

  test("no password comes along: each is a file that has to be named, and .env.example names them all", () => {
    const required = [...text.matchAll(/\$\{(\w+):\?[^}]+\}/g)].map(([, name = ""]) => name);
    expect(Object.values(compose.secrets).every(({ file }) => /^\$\{\w+_FILE:\?.+\}$/.test(file))).toBe(true);
    const example = new Map([...read(".env.example").matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]));
    for (const name of required) expect([name, example.get(name)]).toEqual([name, expect.stringMatching(/^\.\/secrets\//)]);
    for (const [, name = ""] of text.matchAll(/\$\{(\w+):-[^}]*\}/g)) expect([name, example.has(name)]).toEqual([name, true]);
    const variables = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const passwords = variables.filter(([name]) => name.includes("PASS"));
    expect(passwords.filter(([name, value]) => !name.endsWith("_FILE") || !value.startsWith("/run/secrets/"))).toEqual([]);
    // The server refuses variables of its own prefix that it does not know, and people share files of variables.
    expect([...example.keys()].filter((name) => name.startsWith("DOORBUSTER_"))).toEqual([]);
  });
});
