/**
 * What one shop hears does not depend on what another one does: its script alone, and the same script with another shop's
 * acts in between (among them tries to reach its things), are heard alike, word for word but for ids and chance.
 */
import { expect, test } from "bun:test";
import { SeededEntropy } from "../kit/seeded-entropy.ts";
import type { MemoryApi } from "../harness/memory-api.ts";
import { acts, openTenants, type Step } from "./tenants.ts";

const scripts = 1_000;
const interleavingsPerScript = 10;
const sequences = scripts * interleavingsPerScript;
const stepsOfFirst = 9;
const stepsOfOther = 9;

/** Acts that were done, not only asked for: a property of refusals would prove little. */
const done = new Set<string>();

type Turn = { readonly who: "first" | "other" | "trespasser"; readonly step: Step };

const seed = process.env["SEED"] === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env["SEED"]);

const opening = ["create product", "create sale", "publish", "purchase", "pay"] as const;

/** A shop that has something to lose: a sale, and as often as not an order and its money, come first. */
function scriptOf(random: () => number, length: number): Step[] {
  const opened = 3 + Math.floor(random() * 3);
  const first = Math.floor(random() * 3);
  return Array.from({ length }, (_, at) => {
    const act = at < opened ? opening[at] : acts[Math.floor(random() * acts.length)];
    return { act: act ?? "list keys", pick: at < opened ? first : Math.floor(random() * 6) };
  });
}

function interleaved(random: () => number, script: readonly Step[]): Turn[] {
  const others: Turn[] = scriptOf(random, stepsOfOther).map((step) => ({ who: random() < 0.5 ? "other" : "trespasser", step }));
  const turns: Turn[] = [];
  for (const step of script) {
    while (others.length > 0 && random() < 0.5) turns.push(others.shift() as Turn);
    turns.push({ who: "first", step });
  }
  return [...turns, ...others];
}

async function hear(turns: readonly Turn[], plant?: (api: MemoryApi) => void): Promise<readonly string[]> {
  const tenants = await openTenants(plant);
  for (const { who, step } of turns) await tenants[who].play(step);
  await tenants.first.lookAround();
  await tenants.api.close();
  for (const line of tenants.first.heard) if (/^[a-z ]+: 2/.test(line)) done.add(line.slice(0, line.indexOf(":")));
  return tenants.first.heard;
}

/** The first script and interleaving after which the shop hears something else, or undefined. */
async function findDifference(entropy: SeededEntropy, counts: { scripts: number; each: number }, plant?: (api: MemoryApi) => void) {
  const random = () => entropy.random();
  for (let i = 0; i < counts.scripts; i++) {
    const script = scriptOf(random, stepsOfFirst);
    const alone = await hear(
      script.map((step) => ({ who: "first", step })),
      plant,
    );
    for (let j = 0; j < counts.each; j++) {
      const turns = interleaved(random, script);
      const among = await hear(turns, plant);
      const at = alone.findIndex((line, index) => line !== among[index]);
      if (at >= 0 || among.length !== alone.length) return { script: i, turns, alone: alone[at], among: among[at] };
    }
  }
  return undefined;
}

test(`[AC20] a shop hears the same with and without another, in ${sequences.toLocaleString("en")} sequences`, async () => {
  const found = await findDifference(new SeededEntropy(seed), { scripts, each: interleavingsPerScript });
  if (found !== undefined) console.error(`SEED=${seed} bun test tests/properties/non-interference.test.ts`, JSON.stringify(found, null, 1));
  expect(found).toBeUndefined();
  expect(acts.filter((act) => !done.has(act))).toEqual([]);
}, 600_000);

const leaks: readonly (readonly [string, (api: MemoryApi) => void])[] = [
  [
    "keys are listed for all shops",
    ({ people }) => {
      const { keys } = people.accounts;
      people.accounts.keys = () => keys(undefined);
    },
  ],
  [
    "the other shop's key is bound to no shop",
    ({ people }) => {
      const check = people.keyRing.check.bind(people.keyRing);
      people.keyRing.check = (presented, nowMs) => {
        const found = check(presented, nowMs);
        return found?.issuer === "other" ? { ...found, access: { ...found.access, merchant: undefined } } : found;
      };
    },
  ],
  [
    "buyers of two shops with one name are one buyer",
    ({ store }) => {
      const intern = store.internBuyers;
      const find = store.buyerId;
      store.internBuyers = (buyers) => intern(buyers.map(({ subject }) => ({ issuer: "shop", subject })));
      store.buyerId = ({ subject }) => find({ issuer: "shop", subject });
    },
  ],
];

test.each(leaks)(
  "[AC20] control: it is found out when %s",
  async (_, plant) => {
    expect(await findDifference(new SeededEntropy(seed), { scripts: 100, each: 5 }, plant)).toBeDefined();
  },
  120_000,
);
