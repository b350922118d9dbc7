import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brokerReachChecks } from "./checks-broker-reach.ts";
import { brokerChecks } from "./checks-broker.ts";
import { cacheKeepingChecks } from "./checks-cache-keeping.ts";
import { cacheReachChecks } from "./checks-cache-reach.ts";
import { cacheChecks } from "./checks-cache.ts";
import { configurationChecks, logChecks, secretFileChecks } from "./checks-configuration.ts";
import { diskChecks, folderChecks } from "./checks-disk.ts";
import { durabilityChecks } from "./checks-durability.ts";
import { clockChecks, memoryChecks, processChecks } from "./checks-machine.ts";
import { portChecks } from "./checks-network.ts";
import { processesChecks } from "./checks-processes.ts";
import { queuesChecks } from "./checks-queues.ts";
import { scopesChecks } from "./checks-scopes.ts";
import { sharedSecretChecks } from "./checks-secrets.ts";
import { reachChecks } from "./checks-server-reach.ts";
import { serverChecks } from "./checks-server.ts";
import { sessionChecks } from "./checks-session.ts";
import { sharingChecks } from "./checks-sharing.ts";
import { storeChecks } from "./checks-store.ts";

test("[H7] docs/doctor.md has every finding, and no other", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/doctor.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1] ?? "");
  const machine = [...processChecks, ...memoryChecks, ...clockChecks, ...folderChecks, ...diskChecks];
  const rest = [...configurationChecks, ...secretFileChecks, ...storeChecks, ...portChecks, ...logChecks];
  const server = [...reachChecks, ...serverChecks, ...durabilityChecks, ...sharingChecks, ...sessionChecks, ...processesChecks];
  const cache = [...cacheReachChecks, ...cacheChecks, ...cacheKeepingChecks];
  const broker = [...brokerReachChecks, ...brokerChecks, ...queuesChecks];
  const ids = [
    ...[...machine, ...rest, ...sharedSecretChecks, ...server, ...cache, ...broker, ...scopesChecks].map(({ id }) => id),
    "not-looked-at",
  ];
  expect(rows.toSorted()).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
});
