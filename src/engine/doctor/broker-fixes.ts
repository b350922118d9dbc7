/** Commands that mend a broker, as a shell takes them. */
import type { BrokerAddress, BrokerRights } from "../../ports/broker-facts.ts";

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

export const brokerCommand = (...args: readonly string[]): string => ["rabbitmqctl", ...args.map(word)].join(" ");

/** Without patterns: everything there, for a place of our own. */
export const setPermissions = ({ place, user }: Pick<BrokerAddress, "place" | "user">, wanted?: BrokerRights["wanted"]): string =>
  brokerCommand("set_permissions", "-p", place, user, wanted?.configure ?? ".*", wanted?.write ?? ".*", wanted?.read ?? ".*");

/** At once, for connections that are made from now on, and in its file. */
export const brokerSetting = (name: string, value: number): string =>
  `${brokerCommand("eval", `application:set_env(rabbit, ${name}, ${value}).`)}; and in rabbitmq.conf: ${name} = ${value}`;
