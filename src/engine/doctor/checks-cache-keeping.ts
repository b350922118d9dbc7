/** Whether the cache keeps what it decided, and goes on taking it: memory, its log on disk, replicas, connections. */
import type { CacheMemory, CacheReplicas, CacheSeen } from "../../ports/cache-facts.ts";
import { configSet } from "./cache-fixes.ts";
import { bytesText, countText, millisecondsText, ok, problem, warning, type Check, type Judgement } from "./finding.ts";

/** Of its memory, the part that should be free. */
const roomWanted = 0.1;
/** A process opens two, and a rolling update has more processes for a while. */
const connectionsWanted = 20;
/** So much later a call counts as lost and is repeated. */
const forkWantedMs = 250;
/** A replica that is behind for so long is none to rely on. */
const lagWantedSeconds = 10;

const mebibyte = 1_048_576;
/** Of more than a thousand loadings. */
const scriptsWantedBytes = 64 * mebibyte;
/** What has no answer is told, for nobody was ever told yes of it. */
const unpromised = "no buyer was told yes of them, and who asks again buys again";

export const cacheKeepingChecks: readonly Check<CacheSeen>[] = [
  {
    id: "cache-eviction",
    why: "Keys that are thrown away to make room are stock, limits and purchases",
    judge: ({ memory }) => memory && evictionJudgement(memory),
  },
  {
    id: "cache-memory",
    why: "A cache that is full takes no purchase, and a machine that is full ends the cache",
    judge: ({ memory }) => memory && memoryJudgement(memory),
  },
  {
    id: "cache-scripts",
    why: "Each loading of a sale leaves ten scripts, some 50 KB, which a Redis forgets only all at once; they do not count as data",
    judge({ scripts }): Judgement | undefined {
      if (scripts === undefined) return undefined;
      const measured = { value: scripts.bytes, unit: "bytes" };
      const found = `${countText(scripts.count)} scripts take ${bytesText(scripts.bytes)}`;
      if (scripts.bytes <= scriptsWantedBytes) return ok(found, measured);
      return warning(
        found,
        "SCRIPT FLUSH; at a quiet hour, for it closes the sales until they are counted anew, which takes seconds",
        measured,
      );
    },
  },
  {
    id: "cache-append-only",
    why: "What was accepted and is not at the broker yet is there, and nowhere else",
    judge({ appendFile }): Judgement | undefined {
      if (appendFile === undefined) return undefined;
      if (appendFile.isOn) return ok("appendonly is on");
      return problem(
        `appendonly is off: a restart loses purchases that were accepted and not yet carried (${unpromised}), and closes its sales until they are loaded anew`,
        configSet("appendonly", "yes"),
      );
    },
  },
  {
    id: "cache-append-sync",
    why: "What its log did not sync is gone after a power cut",
    judge({ appendFile }): Judgement | undefined {
      if (appendFile?.isOn !== true || appendFile.sync === undefined) return undefined;
      const { sync, rests } = appendFile;
      const found = `appendfsync is ${sync}`;
      if (sync === "no")
        return warning(
          `${found}, so the machine syncs when it likes: a power cut loses purchases that were accepted and not yet carried (${unpromised})`,
          configSet("appendfsync", "everysec"),
        );
      if (rests === true)
        return warning(
          `${found}, but not while the log is written anew (no-appendfsync-on-rewrite): then a power cut loses as much as without it`,
          configSet("no-appendfsync-on-rewrite", "no"),
        );
      return sync === "always"
        ? ok(found)
        : ok(`${found}: a power cut may lose purchases that were accepted and not yet carried; none that was answered 201 or 202`);
    },
  },
  {
    id: "cache-writes",
    why: "A cache that could not write to its disk refuses every purchase until it can",
    judge: writesJudgement,
  },
  {
    id: "cache-replicas",
    why: "A primary that is cut off from its replicas goes on accepting what may be refused when another one has taken over",
    judge: ({ replicas }) => replicas && replicasJudgement(replicas),
  },
  {
    id: "cache-connections",
    why: "A process that gets no connection answers 503",
    judge({ connections }): Judgement | undefined {
      if (connections === undefined) return undefined;
      const { max, inUse, rejected } = connections;
      const measured = { value: inUse, unit: "connections" };
      const found = `${countText(inUse)} in use${max === undefined ? "" : ` of ${countText(max)}`}`;
      const fix = configSet("maxclients", Math.max(10_000, 2 * (max ?? 0)));
      if (max !== undefined && max - inUse < connectionsWanted) return warning(`${found}, which leaves no room`, fix, measured);
      if (rejected > 0)
        return warning(
          `${found}; ${countText(rejected)} were turned away since it counts`,
          `${fix}; CONFIG RESETSTAT; with which it counts anew`,
          measured,
        );
      return ok(found, measured);
    },
  },
  {
    id: "cache-stalls",
    why: "While it stands still every buyer waits",
    judge({ stalls }): Judgement | undefined {
      if (stalls === undefined) return undefined;
      const { forkMs, lateSyncs } = stalls;
      const measured = { value: forkMs, unit: "ms" };
      if (forkMs > forkWantedMs)
        return warning(
          `it stood still for ${millisecondsText(forkMs)} when it last made a copy of itself`,
          "echo never | sudo tee /sys/kernel/mm/transparent_hugepage/enabled; or a machine with quicker memory",
          measured,
        );
      if (lateSyncs > 0)
        return warning(
          `its writes waited for a slow disk, ${countText(lateSyncs)} times since it counts`,
          "Give its log a disk of its own, a local SSD with power-loss protection; CONFIG RESETSTAT; with which it counts anew",
          measured,
        );
      return ok(forkMs === 0 ? "it has made no copy of itself" : `a copy of itself took it ${millisecondsText(forkMs)}`, measured);
    },
  },
];

function evictionJudgement({ policy, evicted }: CacheMemory): Judgement {
  if (policy !== "noeviction")
    return problem(
      `maxmemory-policy is ${policy}, which throws away accepted purchases; a server of ours does not start on it`,
      configSet("maxmemory-policy", "noeviction"),
    );
  if (evicted === 0) return ok("maxmemory-policy is noeviction");
  return warning(
    `maxmemory-policy is noeviction, but ${countText(evicted)} keys were thrown away before`,
    "SCRIPT FLUSH; CONFIG RESETSTAT; the first closes its sales until they are counted anew, the second forgets this number",
  );
}

function memoryJudgement({ usedBytes, maxBytes, machineBytes }: CacheMemory): Judgement {
  const measured = { value: usedBytes, unit: "bytes" };
  if (maxBytes === undefined) {
    const half = Math.max(1, Math.floor((machineBytes ?? 2_048 * mebibyte) / 2 / mebibyte));
    return warning(
      `${bytesText(usedBytes)} used, and there is no limit (maxmemory), so it grows until the machine ends it`,
      configSet("maxmemory", `${half}mb`),
      measured,
    );
  }
  const found = `${bytesText(usedBytes)} used of ${bytesText(maxBytes)}`;
  const fix = configSet("maxmemory", `${Math.ceil((2 * maxBytes) / mebibyte)}mb`);
  if (usedBytes >= maxBytes) return problem(`${found}: it takes no purchase`, fix, measured);
  return usedBytes > maxBytes * (1 - roomWanted) ? warning(`${found}, which is nearly full`, fix, measured) : ok(found, measured);
}

function writesJudgement({ appendFile, snapshots }: CacheSeen): Judgement | readonly Judgement[] | undefined {
  if (appendFile === undefined || snapshots === undefined) return undefined;
  const found: Judgement[] = [];
  if (appendFile.isOn && appendFile.writeFailed)
    found.push(
      problem(
        "its append-only file could not be written, and it takes no writes (MISCONF)",
        "Make room on its disk: df -h, see CONFIG GET dir",
      ),
    );
  const cause = "the cause stands in its log, and is often mended so: sudo sysctl -w vm.overcommit_memory=1";
  if (snapshots.lastFailed)
    found.push(
      snapshots.stopsWrites === false
        ? warning("its last snapshot failed, as a copy for a replica will", `BGSAVE; ${cause}`)
        : problem(
            "its last snapshot failed, and it takes no writes (stop-writes-on-bgsave-error)",
            `${configSet("stop-writes-on-bgsave-error", "no")}; ${cause}`,
          ),
    );
  if (appendFile.isOn && appendFile.rewriteFailed)
    found.push(warning("its append-only file could not be written anew, and grows", `BGREWRITEAOF; ${cause}`));
  return found.length > 0 ? found : ok("it writes what it has to");
}

function replicasJudgement({ connected, good, wanted, lagMaxSeconds }: CacheReplicas): Judgement | undefined {
  const measured = { value: connected, unit: "replicas" };
  const found = connected === 1 ? "1 replica" : `${countText(connected)} replicas`;
  if (wanted === undefined) return undefined;
  if (wanted === 0)
    return connected === 0
      ? ok("no replica: when it falls its sales are closed until it is back, and then loaded anew", measured)
      : warning(
          `${found}, and it goes on without them (min-replicas-to-write): after a change of primary what the old one accepts may be refused`,
          configSet("min-replicas-to-write", 1),
          measured,
        );
  const lag = lagMaxSeconds ?? 0;
  const behind = `${found}, of which ${countText(good ?? connected)} are at most ${lag} s behind`;
  if ((good ?? connected) < wanted)
    return problem(
      `${behind}: it takes no writes with fewer than ${wanted}`,
      `Start the replicas, and see their log; or do without: ${configSet("min-replicas-to-write", 0)}`,
      measured,
    );
  if (lag > lagWantedSeconds)
    return warning(
      `${behind}: so long it goes on without them, and what it accepts may be refused when another one has taken over`,
      configSet("min-replicas-max-lag", lagWantedSeconds),
      measured,
    );
  return ok(`${behind}; without ${wanted} it takes no writes`, measured);
}
