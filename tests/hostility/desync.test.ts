/** Bytes that two parsers might read differently, against both listeners: one answer at most, no 5xx, nothing bought. */
import { afterAll, describe, expect, test } from "bun:test";
import { sendRaw } from "../e2e/raw-socket.ts";
import { cleanUp } from "../harness/cleanup.ts";
import { apiKey, ServerProcess, type Runtime } from "../harness/server-process.ts";
import { Shop } from "../harness/shop.ts";
import { tempFolder } from "../harness/volumes.ts";
import { desyncCases, type Desync, type Hidden } from "./desync-cases.ts";

afterAll(cleanUp);

/** What HTTP itself calls a request of a version that is not spoken. It is the reader's word, no failure of the server. */
const versionUnknown = 505;
const count = desyncCases({ purchase: "", postHead: "", getHead: "" }).length;

test(`[HO4] there are ${count} ways to be misread (at least 60), each with a name of its own`, () => {
  const names = desyncCases({ purchase: "", postHead: "", getHead: "" }).map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect(new Set(names).size).toBe(names.length);
});

async function open(runtime: Runtime) {
  const server = await ServerProcess.start({ dataDir: tempFolder().path, runtime });
  const shop = new Shop(() => server.url);
  const saleId = await shop.liveSale({ stock: 10_000, per_buyer_limit: 1_000 });
  const path = `/api/v1/sales/${saleId}/purchases`;
  const head = (buyer: string) =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${apiKey}\r\nX-User-Id: ${buyer}\r\nContent-Type: application/json\r\n`;
  const hidden: Hidden = {
    purchase: `${head("hidden")}Content-Length: 14\r\n\r\n{"quantity":1}`,
    postHead: head("open"),
    getHead: `GET /api/v1/time HTTP/1.1\r\nHost: x\r\n`,
  };
  const boughtBy = async (buyer: string) => Number((await shop.get("/api/v1/orders?page_size=1", { buyer })).data["total"]);
  const send = async ({ bytes }: Pick<Desync, "bytes">) => (await sendRaw(server.url, [Buffer.from(bytes, "latin1")], 200)).statuses;
  return { server, shop, hidden, boughtBy, send };
}

for (const runtime of ["bun", "node"] as const)
  describe(`on ${runtime}`, () => {
    test(`[HO4] ${count} ways to be misread: at most one answer, none of them a failure, and the hidden purchase never happens`, async () => {
      const { server, shop, hidden, boughtBy, send } = await open(runtime);
      const cases = desyncCases(hidden);
      for (let i = 0; i < cases.length; i += 12) {
        await Promise.all(
          cases.slice(i, i + 12).map(async (one) => {
            const statuses = await send(one);
            const isFine = statuses.length <= 1 && statuses.every((status) => status < 500 || status === versionUnknown);
            expect([one.name, statuses, isFine]).toEqual([one.name, statuses, true]);
          }),
        );
        const names = cases.slice(i, i + 12).map(({ name }) => name);
        expect([names, await boughtBy("hidden")]).toEqual([names, 0]);
      }
      expect((await shop.get("/livez")).status).toBe(200);
      // The control: where it is no longer hidden, the second request is answered, and it buys.
      expect(await send({ bytes: `${hidden.getHead}\r\n${hidden.purchase}` })).toEqual([200, 201]);
      expect(await boughtBy("hidden")).toBe(1);
      expect(await server.stop()).toBe(0);
    }, 120_000);

    test("[HO4] two Hosts, or one that is none, are refused", async () => {
      const { server, send } = await open(runtime);
      for (const hosts of ["Host: x\r\nHost: y\r\n", "Host: x\r\nhost: x\r\n", "Host: x y\r\n", "Host: a@b\r\n"])
        expect([hosts, await send({ bytes: `GET /api/v1/time HTTP/1.1\r\n${hosts}\r\n` })]).toEqual([hosts, [400]]);
      expect(await server.stop()).toBe(0);
    }, 60_000);
  });
