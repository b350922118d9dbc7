/** The floor, and one purchase: what every bench of servers needs. */
import { freePort, startOnCore, type Started } from "./processes.ts";
import type { World } from "./scenarios.ts";

/** Who comes, and where they are refused. */
export type Callers = Pick<World, "tokensFile" | "refusedPaths">;

/** A floor that answers what this server answers to a refused purchase, byte for byte, headers included. */
export async function startFloor(server: Started, world: Callers): Promise<Started> {
  const answer = await purchase(server.url, world.refusedPaths, world);
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !["date", "content-length"].includes(name)));
  const port = await freePort();
  const args = [String(port), String(answer.status), await answer.text(), JSON.stringify(headers)];
  return startOnCore("floor-server.ts", args, {
    port,
    ready: async (url) => (await fetch(url, { method: "POST", body: "{}" })).status === answer.status,
  });
}

/** By the first of the callers, or by the last. */
export async function purchase(url: string, pathsFile: string, world: Pick<Callers, "tokensFile">, by: 0 | -1 = 0): Promise<Response> {
  const [path = ""] = (await Bun.file(pathsFile).text()).split("\n");
  const token = (await Bun.file(world.tokensFile).text()).trimEnd().split("\n").at(by) ?? "";
  return fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"quantity":1}',
  });
}
