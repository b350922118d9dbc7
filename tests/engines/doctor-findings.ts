/** What doctor finds at a cache or a broker, asked from within this process, and the commands of its fixes. */
import { brokerFacts } from "../../src/adapters/rabbitmq/broker-facts.ts";
import { cacheFacts } from "../../src/adapters/redis/cache-facts.ts";
import { brokerReachChecks } from "../../src/engine/doctor/checks-broker-reach.ts";
import { brokerChecks } from "../../src/engine/doctor/checks-broker.ts";
import { cacheKeepingChecks } from "../../src/engine/doctor/checks-cache-keeping.ts";
import { cacheReachChecks } from "../../src/engine/doctor/checks-cache-reach.ts";
import { cacheChecks } from "../../src/engine/doctor/checks-cache.ts";
import { queuesChecks } from "../../src/engine/doctor/checks-queues.ts";
import { judgeAll, type Finding } from "../../src/engine/doctor/finding.ts";
import type { ServerSeen } from "../../src/ports/server-facts.ts";

export type Findings = readonly Finding[];

export async function askCache(url: string): Promise<Findings> {
  const facts = await cacheFacts(url);
  const reached = judgeAll(cacheReachChecks, facts);
  return facts.kind === "refused" ? reached : [...reached, ...judgeAll([...cacheChecks, ...cacheKeepingChecks], facts)];
}

export async function askBroker(
  url: string,
  { partitions = 4, server }: { partitions?: number; server?: ServerSeen } = {},
): Promise<Findings> {
  const seen = await brokerFacts({ url, partitions });
  const reached = judgeAll(brokerReachChecks, seen);
  if (seen.kind === "refused") return reached;
  return [...reached, ...judgeAll(brokerChecks, { seen, partitions }), ...judgeAll(queuesChecks, { seen, partitions, server })];
}

export const find = (findings: Findings, id: string): Finding | undefined => findings.find((finding) => finding.id === id);

/** All that is not well, by name. On a busy machine any server is slow. */
export function badIn(findings: Findings): Record<string, string> {
  const isSlow = ({ found }: Finding) => found.endsWith("this is slow");
  return Object.fromEntries(findings.filter((each) => each.level !== "ok" && !isSlow(each)).map(({ id, level }) => [id, level]));
}

/** The commands in fixes that begin so, each in its words, as an operator copies them: between a colon or a semicolon and the next one. */
export const commandsIn = (findings: Findings, beginning: RegExp): string[][] =>
  findings
    .flatMap(({ fix = "" }) => fix.split(/; |: (?=[A-Z]{2}|rabbitmqctl|kill)/))
    .filter((part) => beginning.test(part))
    .map(wordsOf);

/** As a shell splits them: between quotes a blank is none. */
const wordsOf = (command: string): string[] => [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
