/** What a client meets first: TLS of this decade, HTTP/1.1 and HTTP/2, and the way there from plain HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import { cleanUp } from "../harness/cleanup.ts";
import { bounded } from "../harness/wait.ts";
import { installedProxies, ProxyProcess, testCertificate, type Change } from "./proxies.ts";
import { StubUpstream } from "./stub-upstream.ts";
import { ask } from "./tls-client.ts";

afterAll(cleanUp);

describe.each(installedProxies)("[G9] %s", (kind) => {
  let stub: StubUpstream;
  let proxy: ProxyProcess;
  beforeAll(async () => {
    stub = await StubUpstream.start();
    proxy = await ProxyProcess.start(kind, { upstreams: [stub.at] });
  });

  test("serves HTTP/1.1 through TLS, and tells browsers to stay there", async () => {
    const told = await ask(proxy, "/api/v1/time");
    expect([told.status, told.headers.get("strict-transport-security")]).toEqual([200, "max-age=31536000"]);
    expect(stub.arrivals.at(-1)?.headers.get("x-forwarded-proto")).toEqual(["https"]);
  });

  test("serves HTTP/2, with what a client says of itself left out all the same", async () => {
    const session = connectHttp2(proxy.url, { ca: testCertificate().text });
    const answered = new Promise<number>((resolve, reject) => {
      session.once("error", reject);
      const request = session.request({ ":path": "/api/v1/products", ":method": "GET", "x-forwarded-for": "198.51.100.1" });
      request.once("response", (headers) => resolve(headers[":status"] ?? 0));
      request.once("error", reject);
      request.end();
    });
    expect(await bounded("an answer by HTTP/2", 5_000, answered)).toBe(200);
    session.destroy();
    expect(stub.arrivals.at(-1)?.headers.get("x-forwarded-for")).toEqual(["127.0.0.1"]);
  });

  test("speaks TLS 1.2 and 1.3 and nothing older; the control, told to speak 1.3 alone, refuses 1.2 as well", async () => {
    expect(await handshakes(proxy)).toEqual(["refused", "TLSv1.2", "TLSv1.3"]);
    const newest: Change =
      kind === "nginx" ? ["ssl_protocols TLSv1.2 TLSv1.3", "ssl_protocols TLSv1.3"] : ["ssl-min-ver TLSv1.2", "ssl-min-ver TLSv1.3"];
    const control = await ProxyProcess.start(kind, { upstreams: [stub.at], changes: [newest] });
    expect(await handshakes(control)).toEqual(["refused", "refused", "TLSv1.3"]);
  });

  test("sends plain requests on to TLS, by the operator's name whatever Host says, and lets none through", async () => {
    const before = stub.arrivals.length;
    const plain = `http://127.0.0.1:${proxy.plainPort}`;
    for (const method of ["GET", "POST"]) {
      const answer = await fetch(`${plain}/api/v1/sales?status=live`, { method, redirect: "manual", headers: { host: "elsewhere.test" } });
      expect([answer.status, answer.headers.get("location")]).toEqual([308, "https://shop.test/api/v1/sales?status=live"]);
    }
    expect(stub.arrivals.length).toBe(before);
  });
});

const versions = ["TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

/** What becomes of a client that speaks one version only. */
const handshakes = (proxy: ProxyProcess): Promise<string[]> =>
  Promise.all(
    versions.map(
      (version) =>
        new Promise<string>((resolve) => {
          const only = { minVersion: version, maxVersion: version, rejectUnauthorized: false };
          const socket = connectTls({ port: proxy.port, host: "127.0.0.1", ...only });
          socket.once("secureConnect", () => (resolve(socket.getProtocol() ?? ""), socket.destroy()));
          socket.once("error", () => resolve("refused"));
        }),
    ),
  );
