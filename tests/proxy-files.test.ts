/** The shipped proxies by their text: they speak the product's words, and know its times, bounds and paths. tests/deploy runs them. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { options } from "../src/config/options.ts";
import { publicErrors, type ErrorReason } from "../src/domain/errors.ts";
import { bodyBytesMax, purchaseBytesMax } from "../src/http/body.ts";
import { failure } from "../src/http/envelope.ts";
import { headersMax, idleTimeoutSeconds } from "../src/http/listener.ts";
import { safeHeaders } from "../src/http/responses.ts";
import { eventStreamType } from "../src/http/sse/live.ts";
import { heartbeatMs } from "../src/http/sse/streams.ts";
import { contracts } from "./kit/contract-requests.ts";
import { rootDir } from "./tidy/source-file.ts";

const read = (path: string) => readFileSync(join(rootDir, "deploy", path), "utf8");

const nginx = read("nginx/nginx.conf");
const haproxy = read("haproxy/proxy.cfg");

describe("[G9] the proxies' own answers", () => {
  const reasonIn = (body: string): ErrorReason | undefined => {
    const { reason } = JSON.parse(body).data;
    return Object.keys(publicErrors).includes(reason) ? reason : undefined;
  };
  const said: readonly [string, string, string][] = [
    ...[...read("nginx/answers.conf").matchAll(/return (\d+) '(.*)';/g)].map(([, status = "", body = ""]): [string, string, string] => [
      "nginx",
      status,
      body,
    ]),
    ...[...haproxy.matchAll(/return status (\d+) content-type application\/json string '(.*?)'/g)].map(
      ([, status = "", body = ""]): [string, string, string] => ["haproxy", status, body],
    ),
    ...readdirSync(join(rootDir, "deploy/haproxy/errors")).map((file): [string, string, string] => {
      const [head = "", body = ""] = read(`haproxy/errors/${file}`).split("\r\n\r\n");
      return [file, /^HTTP\/1\.1 (\d+) /.exec(head)?.[1] ?? "", body];
    }),
  ];

  test("are the product's, word for word", () => {
    expect(said.length).toBeGreaterThanOrEqual(15);
    for (const [who, status, body] of said) {
      const reason = reasonIn(body);
      const told = failure(reason ?? "internal");
      expect([who, status, body]).toEqual([who, String(told.status), told.body]);
    }
  });

  test("have the product's headers and lengths, where a file is the whole of them", () => {
    for (const file of ["400", "503", "504"]) {
      const [head = "", body = ""] = read(`haproxy/errors/${file}.http`).split("\r\n\r\n");
      const headers = new Headers(
        head
          .split("\r\n")
          .slice(1)
          .map((line): [string, string] => [line.split(": ")[0] ?? "", line.split(": ")[1] ?? ""]),
      );
      expect(Number(headers.get("content-length"))).toBe(Buffer.byteLength(body));
      expect(headers.get("retry-after")).toBe(file === "400" ? null : "1");
      for (const [name, value] of Object.entries(safeHeaders)) expect([file, name, headers.get(name)]).toEqual([file, name, value]);
    }
    const ofNginx = read("nginx/answer-headers.conf");
    for (const value of Object.values(safeHeaders))
      expect([value, ofNginx.includes(value), haproxy.includes(value)]).toEqual([value, true, true]);
  });
});

describe("[G9] the proxies know the product's", () => {
  const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);

  test("times: they let go of idle connections first, and wait for its own answers", () => {
    // Bun looks at its clock every four seconds, and so may be two early.
    const idleMinSeconds = idleTimeoutSeconds - 2;
    expect(numberIn(nginx, /^ {8}keepalive_timeout +(\d+)s;/m)).toBeLessThan(idleMinSeconds - 1);
    // 512 connections are halved to none in ten purges.
    expect(10 * numberIn(haproxy, /pool-purge-delay (\d+)ms/)).toBeLessThan((idleMinSeconds - 1) * 1_000);
    const answerMaxSeconds = options.answerTimeoutMs.type.max / 1_000;
    expect(numberIn(nginx, /proxy_read_timeout {4}(\d+)s/)).toBeGreaterThan(answerMaxSeconds);
    expect(numberIn(haproxy, /timeout server {5}(\d+)s/)).toBeGreaterThan(answerMaxSeconds);
    const quietSeconds = heartbeatMs / 1_000;
    expect(numberIn(nginx, /proxy_buffering {4}off;\s+proxy_read_timeout (\d+)s/)).toBeGreaterThan(3 * quietSeconds);
    expect(numberIn(haproxy, /set-timeout server (\d+)s/)).toBeGreaterThan(3 * quietSeconds);
  });

  test("bounds", () => {
    expect(numberIn(nginx, /client_max_body_size {8}(\d+)k/) * 1_024).toBe(bodyBytesMax);
    expect(numberIn(nginx, /client_max_body_size (\d+)k/) * 1_024).toBe(purchaseBytesMax);
    expect(numberIn(haproxy, /acl is_large +req\.body_size gt (\d+)/)).toBe(bodyBytesMax);
    expect(numberIn(haproxy, /acl is_above_2k +req\.body_size gt (\d+)/)).toBe(purchaseBytesMax);
    expect(numberIn(haproxy, /req\.fhdr_cnt gt (\d+)/)).toBe(headersMax);
  });

  test("variables: haproxy asks for those that its operator's file names, and for no other", () => {
    const asked = new Set([...haproxy.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => name));
    const named = [...read("haproxy/doorbuster.env").matchAll(/^(PROXY_\w+)=/gm)].map(([, name = ""]) => name);
    expect([...asked].toSorted()).toEqual(named.toSorted());
  });

  const patternIn = (text: string, before: string) => {
    const [, pattern = ""] = new RegExp(`${before}(\\^\\S+\\$)`).exec(text) ?? [];
    return new RegExp(pattern);
  };
  const pathsOf = (method: string) => contracts.filter((contract) => contract.method === method);

  test.each([
    ["nginx", nginx, "location ~ "],
    ["haproxy", haproxy, "acl is_purchase path_reg "],
  ])("paths of purchases, in %s", (_, text, before) => {
    const pattern = patternIn(text, before);
    const purchases = pathsOf("POST")
      .map(({ path }) => path.replaceAll(/:\w+/g, "1"))
      .filter((path) => pattern.test(path));
    expect(purchases.toSorted()).toEqual([
      "/api/seckill/1",
      "/api/v1/sales/1/purchases",
      "/api/v1/seckill/purchase",
      "/api/v1/seckill/purchase/async",
      "/seckill",
    ]);
  });

  test.each([
    ["nginx", nginx, "# Live streams[^]*?location ~ "],
    ["haproxy", haproxy, "set-timeout server 60s if \\{ path_reg "],
  ])("paths of live streams, in %s", (_, text, before) => {
    const pattern = patternIn(text, before);
    const isStream = ({ answers }: (typeof contracts)[number]) => JSON.stringify(answers).includes(eventStreamType);
    for (const contract of pathsOf("GET"))
      expect([contract.path, pattern.test(contract.path.replaceAll(/:\w+/g, "1"))]).toEqual([contract.path, isStream(contract)]);
  });
});
