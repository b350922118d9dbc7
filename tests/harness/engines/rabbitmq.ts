/**
 * RabbitMQ of our own, by its own scripts below the package's wrapper (which becomes the user `rabbitmq` and writes to the
 * machine's one log). Name, ports, cookie and folders are its own, so that several runs on one machine do not meet; so is
 * its epmd, which Erlang would start as a daemon that nobody ends.
 */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import type { Volume } from "../volumes.ts";
import { waitFor } from "../wait.ts";
import { AmqpSocket } from "./amqp-socket.ts";
import { EngineProcess, openEngine, type Launch } from "./engine-process.ts";
import { accepts, type Ports } from "./ports.ts";
import { programPath, runProgram } from "./programs.ts";
import { linkPlugins } from "./rabbitmq-plugins.ts";
import { freshName, urlOf } from "./database-names.ts";

export type RabbitmqOptions = {
  /** Lines of rabbitmq.conf, such as { "channel_max": 10 }. They come last and win. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined;
  readonly plugins?: readonly string[] | undefined;
  /** A folder for its data, such as a volume that is frozen or filled; the temporary one otherwise. */
  readonly place?: string | undefined;
};

const user = { name: "doorbuster", password: "doorbuster-of-tests" };
const ctlMaxMs = 60_000;

export class RabbitmqServer extends EngineProcess {
  readonly url: string;
  readonly #options: RabbitmqOptions;

  constructor(volume: Volume, ports: Ports, options: RabbitmqOptions) {
    super("RabbitMQ", volume, ports);
    this.#options = options;
    this.url = `amqp://${user.name}:${user.password}@127.0.0.1:${this.port}`;
    this.#prepare();
  }

  /** The url of a new, empty virtual host. */
  async database(name: string): Promise<string> {
    const vhost = freshName(name);
    await this.ctl("add_vhost", vhost);
    await this.ctl("set_permissions", "-p", vhost, user.name, ".*", ".*", ".*");
    return urlOf(this.url, vhost);
  }

  /** What rabbitmqctl prints, without its headings. */
  async ctl(...args: readonly string[]): Promise<string> {
    // It would start an epmd that nobody ends.
    if (!this.isUp) throw new Error("cannot run rabbitmqctl while the broker is down");
    const command = { program: join(this.#home, "sbin", "rabbitmqctl"), args: ["-q", ...args] };
    return (await runProgram(command, { cwd: this.folder, env: this.#environment(), withinMs: ctlMaxMs })).trimEnd();
  }

  protected async launch(): Promise<Launch> {
    const epmdPort = this.portAt(2);
    await this.run({ program: programPath("epmd"), args: ["-port", String(epmdPort), "-address", "127.0.0.1"] });
    await waitFor("its epmd", () => accepts(epmdPort), { everyMs: 5 });
    // Without a terminal; the script would otherwise wait beside the server for signals.
    return { program: join(this.#home, "sbin", "rabbitmq-server"), args: ["-noinput"], env: this.#environment() };
  }

  protected async answer(): Promise<void> {
    using _ = await AmqpSocket.open(this.url, { withinMs: 5_000 });
  }

  /** What stands for the folder of the installation. */
  get #home(): string {
    return join(this.folder, "rabbitmq");
  }

  get #node(): string {
    return `doorbuster-${this.port}@localhost`;
  }

  #prepare(): void {
    // Next to the wrapper, or what is called without one: a link to the script of the version.
    const scripts = dirname(realpathSync(join(dirname(realpathSync(programPath("rabbitmq-server"))), "rabbitmq-server")));
    for (const folder of ["home", "data", "logs", "rabbitmq"]) mkdirSync(join(this.folder, folder));
    for (const folder of ["sbin", "escript"]) symlinkSync(join(scripts, "..", folder), join(this.#home, folder));
    linkPlugins({ from: join(scripts, "..", "plugins"), to: join(this.#home, "plugins"), named: this.#options.plugins ?? [] });
    writeFileSync(join(this.folder, "home", ".erlang.cookie"), randomBytes(20).toString("hex"), { mode: 0o400 });
    writeFileSync(join(this.folder, "rabbitmq-env.conf"), "");
    writeFileSync(join(this.folder, "enabled_plugins"), `[${(this.#options.plugins ?? []).join(",")}].\n`);
    const settings = {
      default_user: user.name,
      default_pass: user.password,
      "log.file": "false",
      "log.console": "true",
      "log.console.use_colors": "off",
      "vm_memory_high_watermark.absolute": "1GB",
      ...this.#options.settings,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
    writeFileSync(join(this.folder, "rabbitmq.conf"), lines.join(""));
  }

  #environment(): Record<string, string> {
    const distPort = this.portAt(1);
    return {
      HOME: join(this.folder, "home"),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: String(this.portAt(2)),
      // The scripts take it for their own folder, and its parent for the installation.
      RABBITMQ_SCRIPTS_DIR: join(this.#home, "sbin"),
      RABBITMQ_PLUGINS_DIR: join(this.#home, "plugins"),
      RABBITMQ_NODENAME: this.#node,
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_NODE_PORT: String(this.port),
      RABBITMQ_MNESIA_BASE: join(this.folder, "data"),
      RABBITMQ_LOG_BASE: join(this.folder, "logs"),
      RABBITMQ_CONFIG_FILE: join(this.folder, "rabbitmq.conf"),
      // Instead of the machine's; these need not exist, that one does.
      RABBITMQ_ADVANCED_CONFIG_FILE: join(this.folder, "advanced.config"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(this.folder, "enabled_plugins"),
      RABBITMQ_CONF_ENV_FILE: join(this.folder, "rabbitmq-env.conf"),
      // The script becomes the server instead of waiting for it.
      RABBITMQ_ALLOW_INPUT: "1",
      // A node that has its name from the start; the server would start a second Erlang to see whether there is an epmd.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
        `-sname ${this.#node} -start_epmd false`,
        `-kernel inet_dist_use_interface {127,0,0,1} inet_dist_listen_min ${distPort} inet_dist_listen_max ${distPort}`,
        "+S 2:2",
      ].join(" "),
      // rabbitmqctl calls and is not called, so that it needs no port.
      RABBITMQ_CTL_ERL_ARGS: "-dist_listen false",
    };
  }
}

export function openRabbitmq(options: RabbitmqOptions = {}): Promise<RabbitmqServer> {
  return openEngine({ name: "rabbitmq", place: options.place, ports: 3 }, (volume, ports) => new RabbitmqServer(volume, ports, options));
}
