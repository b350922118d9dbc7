/** Whether the broker that carries lets us in, and how far it is. */
import type { BrokerFacts, BrokerRefusal } from "../../ports/broker-facts.ts";
import { brokerCommand, setPermissions } from "./broker-fixes.ts";
import { refusals } from "./checks-server-reach.ts";
import { problem, type Check } from "./finding.ts";
import { roundTripJudgement } from "./round-trip.ts";

export const brokerReachChecks: readonly Check<BrokerFacts>[] = [
  {
    id: "broker-server",
    why: "A purchase is answered when it has it; without it all buyers hear 503",
    judge(facts) {
      if (facts.kind === "refused") return problem(`${facts.address.name}: ${refusalOf(facts)} (${facts.said})`, letUsIn(facts));
      return roundTripJudgement(facts.address, facts.roundTrip);
    },
  },
];

const refusalOf = ({ reason }: BrokerRefusal): string =>
  reason === "no-database"
    ? "there is no such virtual host, this user may not enter it, or it takes no more connections"
    : refusals[reason];

function letUsIn({ address, reason }: BrokerRefusal): string {
  const { host, port, user, place, isEncrypted } = address;
  switch (reason) {
    case "no-such-host":
      return `Correct the host in DOORBUSTER_BROKER_URL; this asks for it: getent hosts ${host}`;
    case "unreachable":
      return `Start the broker, and let it listen there (listeners.tcp.default in rabbitmq.conf); this tries it: nc -vz ${host} ${port}`;
    case "silent":
      return `See whether it hangs, a firewall is between, or it ${isEncrypted ? "speaks no TLS (amqp://)" : "takes only TLS (amqps://)"}: nc -vz ${host} ${port}, then the broker's log`;
    case "not-ready":
      return "Wait until it has started, and ask again: rabbitmqctl await_startup";
    case "full":
      return "See who is connected: rabbitmqctl list_connections user peer_host; its limits: rabbitmqctl list_vhost_limits";
    case "not-let-in":
      return `Correct user and password in DOORBUSTER_BROKER_URL ("guest" may come from the broker's own machine only), or: ${brokerCommand("change_password", user, "…")}`;
    case "no-database":
      return `${setPermissions(address)}; where there is none yet: ${brokerCommand("add_vhost", place)}; its limits: ${brokerCommand("list_vhost_limits", "-p", place)}`;
    case "transport":
      return "Give the broker listeners.ssl.default and ssl_options.certfile, .keyfile in rabbitmq.conf and this process its CA (NODE_EXTRA_CA_CERTS), or begin DOORBUSTER_BROKER_URL with amqp://";
    case "other":
      return "See whether the server of DOORBUSTER_BROKER_URL is a RabbitMQ, and read its log";
    default:
      return reason satisfies never;
  }
}
