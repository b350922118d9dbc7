/** The cache that decides: what it is, whether it alone decides, and what our user may do there. */
import type { CacheSeen } from "../../ports/cache-facts.ts";
import { aclSetUser, inRedisConfOnly } from "./cache-fixes.ts";
import { ok, problem, warning, type Check, type Judgement } from "./finding.ts";
import { isOlder } from "./older-version.ts";
import { clockJudgement } from "./round-trip.ts";
import { isLoopback } from "./transport.ts";

/** Before it scripts were kept in the append-only file and sent to replicas, by which we know that nothing was lost. */
const versionMin = "7.0";

export const cacheChecks: readonly Check<CacheSeen>[] = [
  {
    id: "cache-version",
    why: "After a restart or a change of primary it must not know our scripts any more: by that we see that its stock may be of yesterday",
    judge({ product }): Judgement | undefined {
      if (product === undefined) return undefined;
      const tested = "Redis from 7.0, or Valkey";
      if (product.name === undefined) return warning(`${product.text}, which was never tested`, `Use ${tested}`);
      return isOlder(product.version, versionMin)
        ? problem(`${product.text}, at least ${versionMin} is needed`, `Update the server: ${tested}`)
        : ok(product.text);
    },
  },
  {
    id: "cache-mode",
    why: "One server decides a sale; our client asks one, and follows no slots and no Sentinel",
    judge({ mode }): Judgement | undefined {
      if (mode === undefined) return undefined;
      if (mode === "standalone") return ok("one server");
      return mode === "cluster"
        ? problem("a node of a cluster; a server of ours does not start on it", inRedisConfOnly("cluster-enabled", "no"))
        : problem(
            `${mode}, which decides nothing; a server of ours does not start on it`,
            "Name the Redis itself in DOORBUSTER_REDIS_URL; a Sentinel tells it: SENTINEL MASTERS",
          );
    },
  },
  {
    id: "cache-role",
    why: "A replica takes no writes, and what it has is replaced by what its primary has",
    judge({ role }): Judgement | undefined {
      if (role === undefined) return undefined;
      if (role.isPrimary) return ok("it is the primary");
      const of = role.follows === undefined ? "" : ` of ${role.follows}`;
      return problem(
        `it is a replica${of}; a server of ours does not start on it`,
        "Name the primary in DOORBUSTER_REDIS_URL; or if that is gone for good, make this one it: REPLICAOF NO ONE",
      );
    },
  },
  {
    id: "cache-rights",
    why: "Whatever it may not do, no purchase can be decided, or no sale be opened",
    judge({ rightsLacking: lacking, address: { user } }): Judgement {
      if (lacking === undefined)
        return warning(
          `"${user}" may not begin a transaction, in which its rights are tried and nothing is done`,
          aclSetUser(user, ["+multi", "+discard"]),
        );
      if (lacking.length === 0) return ok(`"${user}" may do all that it must`);
      return problem(`"${user}" lacks ${lacking.join(", ")}`, aclSetUser(user, lacking));
    },
  },
  {
    id: "cache-settings",
    why: "What was not looked at may be what is wrong",
    judge: ({ hiddenSettings: hidden, address: { user } }): Judgement =>
      hidden.length === 0
        ? ok("it tells its settings")
        : warning(`it does not tell "${user}" of ${hidden.join(", ")}`, `${aclSetUser(user, ["+config|get"])}; or ask who runs it`),
  },
  {
    id: "cache-clock",
    why: "Its clock opens and ends sales; countdowns and early refusals of this process follow the database's",
    judge: ({ clock }) => clock && clockJudgement(clock, "this machine's"),
  },
  {
    id: "cache-transport",
    why: "Its password, and who bought what, travel on it; whoever is on the way reads them, or plays the server",
    judge({ address: { host, isEncrypted } }): Judgement {
      if (isLoopback(host)) return ok(isEncrypted ? "within this machine, encrypted" : "within this machine");
      if (isEncrypted) return ok("encrypted, and the server's certificate is looked at");
      return warning(
        `not encrypted, to ${host}`,
        "Begin DOORBUSTER_REDIS_URL with rediss://; the server needs tls-port, tls-cert-file and tls-key-file in redis.conf, this process its CA (NODE_EXTRA_CA_CERTS)",
      );
    },
  },
];
