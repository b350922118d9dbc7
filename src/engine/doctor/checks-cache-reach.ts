/** Whether the cache that decides lets us in, and how far it is. */
import type { CacheFacts, CacheRefusal } from "../../ports/cache-facts.ts";
import { aclSetUser } from "./cache-fixes.ts";
import { refusals } from "./checks-server-reach.ts";
import { problem, type Check } from "./finding.ts";
import { roundTripJudgement } from "./round-trip.ts";

export const cacheReachChecks: readonly Check<CacheFacts>[] = [
  {
    id: "cache-server",
    why: "It decides every purchase; without it all buyers hear 503",
    judge(facts) {
      if (facts.kind === "refused") return problem(`${facts.address.name}: ${refusalOf(facts)} (${facts.said})`, letUsIn(facts));
      return roundTripJudgement(facts.address, facts.roundTrip);
    },
  },
];

const refusalOf = ({ reason }: CacheRefusal): string => (reason === "no-database" ? "it has no database of this number" : refusals[reason]);

/** "NOPERM … no permissions to run the 'select' command": what the client sends before anything else. */
const deniedIn = (said: string): string | undefined => /permissions to run the '([^']+)' command/.exec(said)?.[1];

function letUsIn({ address, reason, said }: CacheRefusal): string {
  const { host, port, user, isEncrypted } = address;
  const denied = deniedIn(said);
  switch (reason) {
    case "no-such-host":
      return `Correct the host in DOORBUSTER_REDIS_URL; this asks for it: getent hosts ${host}`;
    case "unreachable":
      return `Start the server, and let it listen there (bind and port in redis.conf); this tries it: nc -vz ${host} ${port}`;
    case "silent":
      return `See whether it hangs, a firewall is between, or it ${isEncrypted ? "speaks no TLS (redis://)" : "takes only TLS (rediss://)"}: nc -vz ${host} ${port}, then the server's log`;
    case "not-ready":
      return "Wait until it has loaded its data, and ask again; this says how far it is: INFO persistence";
    case "full":
      return "CONFIG SET maxclients 10000; CONFIG REWRITE; or in redis.conf: maxclients 10000";
    case "not-let-in":
      if (denied !== undefined) return aclSetUser(user, [`+${denied}`]);
      return `Correct user and password in DOORBUSTER_REDIS_URL, or: ACL SETUSER ${user} on >…; ACL SAVE, or without a file of users: CONFIG REWRITE`;
    case "no-database":
      return "Name one that is there in DOORBUSTER_REDIS_URL, as /0 is, or in redis.conf: databases 16";
    case "transport":
      return "Give the server tls-port, tls-cert-file and tls-key-file in redis.conf and this process its CA (NODE_EXTRA_CA_CERTS), or begin DOORBUSTER_REDIS_URL with redis://";
    case "other":
      return "See whether the server of DOORBUSTER_REDIS_URL is a Redis, and read its log";
    default:
      return reason satisfies never;
  }
}
