/** What doctor looks at in queued mode: what sql mode looks at, the cache that decides, the broker that carries, and how they fit. */
import type { BrokerFacts } from "../../ports/broker-facts.ts";
import type { CacheFacts } from "../../ports/cache-facts.ts";
import { brokerReachChecks } from "./checks-broker-reach.ts";
import { brokerChecks } from "./checks-broker.ts";
import { cacheKeepingChecks } from "./checks-cache-keeping.ts";
import { cacheReachChecks } from "./checks-cache-reach.ts";
import { cacheChecks } from "./checks-cache.ts";
import { queuesChecks } from "./checks-queues.ts";
import { scopesChecks } from "./checks-scopes.ts";
import type { Examination } from "./examine.ts";
import { judgeAll, type Finding } from "./finding.ts";
import { machineExaminations } from "./machine.ts";
import { serverExaminations, type SqlProbes, type SqlSettings } from "./sql.ts";

export interface QueuedProbes extends SqlProbes {
  /** Reads over one connection, and changes nothing. */
  cacheFacts(url: string): Promise<CacheFacts>;
  /** Asks over one connection, and changes nothing. */
  brokerFacts(look: { readonly url: string; readonly partitions: number }): Promise<BrokerFacts>;
}

export type QueuedSettings = SqlSettings & {
  /** Undefined where the configuration has none, which is a finding of its own. */
  readonly cache: { readonly url: string } | undefined;
  readonly broker: { readonly url: string; readonly partitions: number } | undefined;
};

export function queuedExaminations(probes: QueuedProbes, settings: QueuedSettings): readonly Examination[] {
  const { before, after } = machineExaminations(probes, settings);
  const { database, cache, broker } = settings;
  const asked = {
    server: once(() => database && probes.serverFacts(database.url)),
    cache: once(() => cache && probes.cacheFacts(cache.url)),
    broker: once(() => broker && probes.brokerFacts(broker)),
  };
  const generatedSecrets = (dataDir: string) => probes.generatedSecrets(dataDir);
  return [
    ...before,
    ...serverExaminations({ generatedSecrets, serverFacts: () => mustHave(asked.server()) }, settings),
    ...(cache === undefined ? [] : [{ name: "the cache", run: async () => lookAtCache(await mustHave(asked.cache())) }]),
    ...(broker === undefined
      ? []
      : [{ name: "the broker", run: async () => lookAtBroker(await mustHave(asked.broker()), broker.partitions) }]),
    { name: "the queues and what they carry", run: () => lookBetween(asked, broker?.partitions ?? 0) },
    ...after,
  ];
}

/** Of a server that does not let us in there is nothing more to judge. */
function lookAtCache(facts: CacheFacts): readonly Finding[] {
  const reached = judgeAll(cacheReachChecks, facts);
  return facts.kind === "refused" ? reached : [...reached, ...judgeAll([...cacheChecks, ...cacheKeepingChecks], facts)];
}

function lookAtBroker(facts: BrokerFacts, partitions: number): readonly Finding[] {
  const reached = judgeAll(brokerReachChecks, facts);
  return facts.kind === "refused" ? reached : [...reached, ...judgeAll(brokerChecks, { seen: facts, partitions })];
}

type Asked = {
  readonly server: () => ReturnType<QueuedProbes["serverFacts"]> | undefined;
  readonly cache: () => Promise<CacheFacts> | undefined;
  readonly broker: () => Promise<BrokerFacts> | undefined;
};

/** What needs more than one of them, as far as they could be looked at. */
async function lookBetween(asked: Asked, partitions: number): Promise<readonly Finding[]> {
  const [server, cache, broker] = [await seen(asked.server()), await seen(asked.cache()), await seen(asked.broker())];
  return [
    ...(broker === undefined ? [] : judgeAll(queuesChecks, { seen: broker, partitions, server })),
    ...(server === undefined ? [] : judgeAll(scopesChecks, { server, cache })),
  ];
}

/** Why it could not be looked at was told by who asked first. */
async function seen<Facts extends { readonly kind: "seen" | "refused" }>(
  asked: Promise<Facts> | undefined,
): Promise<Extract<Facts, { readonly kind: "seen" }> | undefined> {
  const facts = await asked?.catch(() => undefined);
  // The type does not follow what was looked at.
  return facts?.kind === "seen" ? (facts as Extract<Facts, { readonly kind: "seen" }>) : undefined;
}

function once<Value>(ask: () => Value): () => Value {
  let asked: { readonly value: Value } | undefined;
  return () => (asked ??= { value: ask() }).value;
}

/** It is asked only where there is an address. */
async function mustHave<Facts>(asked: Promise<Facts> | undefined): Promise<Facts> {
  if (asked === undefined) throw new Error("there is no address");
  return asked;
}
