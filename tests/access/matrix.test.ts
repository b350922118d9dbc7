/**
 * Every route of the router, asked by everybody: whoever is not meant to enter does not, and whoever is, does. The expected
 * answers stand in matrix.ts and were thought of by people; the routes come from the router, so none is forgotten.
 */
import { describe, expect, test } from "bun:test";
import { routesOf } from "../../src/http/app.ts";
import type { Metrics } from "../../src/http/metrics.ts";
import type { Contract, Door } from "../../src/http/route.ts";
import { matrix } from "./matrix.ts";
import { openDoorstep, personas, type Doorstep, type Persona } from "./personas.ts";
import { requestFor } from "./requests.ts";

// The list of routes needs no metrics; only answering does.
const routes = routesOf({} as Metrics);
const expectedOf = (operation: string) => (matrix[operation] ?? "").replaceAll(" ", "");

/** How the API answered, in the matrix's signs. What is refused for its content has passed the door. */
async function knock(doorstep: Doorstep, contract: Contract, persona: Persona): Promise<string> {
  const { path, call } = requestFor(contract, doorstep);
  const response = await doorstep.api.send(contract.method, path, { ...call, ...doorstep.calls[persona] });
  if (response.headers.get("content-type") !== "application/json") {
    await response.body?.cancel();
    return response.status === 404 ? "4" : "+";
  }
  const { data } = (await response.json()) as { data?: { reason?: string; field?: string; problem?: string } };
  if (data?.reason === "malformed" || response.status >= 500)
    return `${response.status} for ${JSON.stringify(data)}: give ${contract.operation} a request that fits, in tests/access/requests.ts`;
  if (response.status === 404) return "4";
  return data?.reason === "unauthenticated" ? "1" : data?.reason === "forbidden" ? "3" : "+";
}

async function rowOf({ contract, door }: { contract: Contract; door: Door }): Promise<string> {
  const expected = expectedOf(contract.operation);
  const signs = new Map<Persona, string>();
  let doorstep = await openDoorstep(door);
  for (const [at, persona] of personas.entries()) {
    signs.set(persona, await knock(doorstep, contract, persona));
    // Who got in may have moved something; who should have got in finds a fresh house.
    if (signs.get(persona) !== "+" && expected[at + 1] !== "+") continue;
    await doorstep.api.close();
    doorstep = await openDoorstep(door);
  }
  await doorstep.api.close();
  return personas.map((persona) => signs.get(persona)).join("");
}

describe("the authorisation matrix", () => {
  test("[AC19] has a row for every route, and for nothing else", () => {
    const operations = routes.map(({ contract }) => contract.operation);
    expect(operations.filter((operation) => expectedOf(operation).length !== personas.length)).toEqual([]);
    expect(Object.keys(matrix).filter((operation) => !operations.includes(operation))).toEqual([]);
  });

  test("[AC19] lets an auditor change nothing, whatever a row says", () => {
    const changes = routes.filter(({ contract, door }) => contract.method !== "GET" && (door.kind === "staff" || door.kind === "viewer"));
    expect(changes.length).toBeGreaterThan(20);
    const auditors = changes.filter(({ contract }) => expectedOf(contract.operation)[personas.indexOf("auditor")] === "+");
    expect(auditors.map(({ contract }) => contract.operation)).toEqual([]);
  });

  test.each(routes.map((route) => [`${route.contract.method} ${route.contract.path}`, route] as const))("[AC19] %s", async (_, route) =>
    expect(await rowOf(route)).toBe(expectedOf(route.contract.operation)),
  );

  test("[AC19] control: a door left open, and a shop's wall taken away, change their rows", async () => {
    const banAccount = routes.find(({ contract }) => contract.operation === "banAccount");
    const rotateKey = routes.find(({ contract }) => contract.operation === "rotateKey");
    if (banAccount === undefined || rotateKey === undefined) throw new Error("the control's routes exist");
    // As if everybody were an operator, or bound to no shop.
    const opened = await openDoorstep(banAccount.door);
    expect(await knock({ ...opened, calls: { ...opened.calls, auditor: opened.calls.operator } }, banAccount.contract, "auditor")).toBe(
      "+",
    );
    const walls = await openDoorstep(rotateKey.door);
    const { keyRing } = walls.api.people;
    const check = keyRing.check.bind(keyRing);
    walls.api.people.keyRing.check = (presented, nowMs) => {
      const found = check(presented, nowMs);
      return found && { ...found, access: { ...found.access, merchant: undefined } };
    };
    expect(await knock(walls, rotateKey.contract, "another shop's key")).toBe("+");
    expect(expectedOf("banAccount")[personas.indexOf("auditor")]).toBe("3");
    expect(expectedOf("rotateKey")[personas.indexOf("another shop's key")]).toBe("4");
    await Promise.all([opened.api.close(), walls.api.close()]);
  });
});
