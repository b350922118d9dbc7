/**
 * nginx and haproxy as an operator runs them: the shipped files, copied beside operator's files of this run's own. Each is a
 * process group of its own, ended by its id.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { eachLine, exitOf } from "../../src/adapters/load/child-process.ts";
import { onCleanup } from "../harness/cleanup.ts";
import { rootDir } from "../harness/server-process.ts";
import { tempFolder } from "../harness/volumes.ts";
import { bounded, waitFor } from "../harness/wait.ts";

export type ProxyKind = "nginx" | "haproxy";
export type PerProxy<Value> = Readonly<Record<ProxyKind, Value>>;
const proxyKinds: readonly ProxyKind[] = ["nginx", "haproxy"];

/** Servers of the distribution lie where a user's PATH may not look. */
export const programPath = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`;
export const hasProgram = (name: string): boolean => Bun.which(name, { PATH: programPath }) !== null;
/**
 * Those that are here; programs.test.ts says which are missing, and in CI fails for them. The tests play several clients by the
 * many loopback addresses that Linux has.
 */
export const installedProxies: readonly ProxyKind[] =
  process.platform === "linux" && hasProgram("openssl") ? proxyKinds.filter(hasProgram) : [];
export const noProxy = installedProxies.length === 0;
/** All kinds at once, where most of a test is waiting. */
export const everyProxy = async (run: (kind: ProxyKind) => Promise<void>): Promise<void> =>
  void (await Promise.all(installedProxies.map(run)));

export type ProxyOptions = {
  /** "127.0.0.1:8083" each; the first is called one, the second two. */
  readonly upstreams: readonly string[];
  readonly perClientMax?: number | undefined;
  readonly inAllMax?: number | undefined;
  /** Mistakes to plant into the shipped files. */
  readonly changes?: readonly Change[] | undefined;
};
/** Another text for one that stands in a shipped file, at each place where it stands. */
export type Change = readonly [from: string, to: string];

const names = ["one", "two", "three"];
const startMaxMs = 10_000;

export type Certificate = { readonly pem: string; readonly key: string; readonly both: string; readonly text: string };

let certificate: Certificate | undefined;

/** Of this run: for the loopback address and a name that is nobody's. */
export function testCertificate(): Certificate {
  if (certificate !== undefined && existsSync(certificate.pem)) return certificate;
  const { path } = tempFolder("doorbuster-tls-");
  const [pem, key, both] = [join(path, "cert.pem"), join(path, "key.pem"), join(path, "both.pem")];
  const subject = ["-subj", "/CN=shop.test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:shop.test"];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", ...subject];
  execFileSync("openssl", [...made, "-keyout", key, "-out", pem], { stdio: "ignore", timeout: 20_000 });
  const text = readFileSync(pem, "utf8");
  writeFileSync(both, text + readFileSync(key, "utf8"), { mode: 0o600 });
  return (certificate = { pem, key, both, text });
}

/** Below those that the kernel gives to connections and to servers that ask for any: nobody else takes one in between. */
let nextPort = 15_000 + Math.floor(Math.random() * 15_000);

/** A port that nobody listens on, and that this run gives to nobody else. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = nextPort++;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (isFree) await new Promise<void>((resolve) => server.close(() => resolve()));
    if (isFree) return port;
  }
  throw new Error("100 ports in a row are taken");
}

type At = { readonly kind: ProxyKind; readonly folder: string; readonly port: number; readonly plainPort: number };

export class ProxyProcess {
  readonly kind: ProxyKind;
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  readonly port: number;
  readonly plainPort: number;
  readonly folder: string;
  readonly #lines: string[] = [];
  readonly #options: ProxyOptions;

  private constructor(at: At, child: ChildProcess, options: ProxyOptions) {
    this.kind = at.kind;
    this.folder = at.folder;
    this.port = at.port;
    this.plainPort = at.plainPort;
    this.child = child;
    this.#options = options;
    this.exited = exitOf(child);
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => this.#lines.push(line));
    const release = onCleanup(`${at.kind} ${child.pid}`, () => this.#kill());
    void this.exited.then(release);
  }

  static async start(kind: ProxyKind, options: ProxyOptions): Promise<ProxyProcess> {
    const at = { kind, folder: tempFolder(`doorbuster-${kind}-`).path, port: await freePort(), plainPort: await freePort() };
    copyShipped(at, options);
    const [command, args, env] = kind === "nginx" ? nginxCommand(at, options) : haproxyCommand(at, options);
    const child = spawn(command, args, {
      cwd: at.folder,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: programPath, ...env },
    });
    const proxy = new ProxyProcess(at, child, options);
    await waitFor(`${kind} listens`, () => child.exitCode !== null || accepts(at.port), { withinMs: startMaxMs });
    if (child.exitCode !== null) throw new Error(`${kind} ended with ${child.exitCode}:\n${proxy.output()}`);
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** All it said, of itself and of requests. */
  output(): string {
    const logs = ["error.log", "access.log"].map((name) => join(this.folder, name)).filter((path) => existsSync(path));
    return [...this.#lines, ...logs.map((path) => readFileSync(path, "utf8"))].join("\n");
  }

  /** Lines of requests that are over. */
  requests(): Record<string, unknown>[] {
    const lines = this.output().split("\n");
    return lines.filter((line) => line.startsWith("{")).map((line): Record<string, unknown> => JSON.parse(line));
  }

  /** As the page on deployment has it: this upstream gets nothing new; resolves when that is so. */
  async setAside(index: number): Promise<void> {
    if (this.kind === "haproxy") return void (await this.tell(`set server doorbuster/${names[index]} state drain`));
    await this.#reload(index);
  }

  async takeBack(index: number): Promise<void> {
    if (this.kind === "haproxy") return void (await this.tell(`set server doorbuster/${names[index]} state ready`));
    await this.#reload(undefined);
  }

  /** A command to haproxy, and its answer. */
  async tell(command: string): Promise<string> {
    const socket = connect({ path: join(this.folder, "admin.sock") });
    let said = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => (said += String(chunk)));
    const over = new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("close", () => resolve());
    });
    socket.write(`${command}\n`);
    await bounded(command, 5_000, over);
    return said;
  }

  async stop(): Promise<void> {
    this.#kill();
    await bounded(`the end of ${this.kind}`, 10_000, this.exited);
  }

  /** Old workers of nginx go on with what they have; that is over when only the new ones are left. */
  async #reload(down: number | undefined): Promise<void> {
    const before = this.#workers();
    writeFileSync(join(this.folder, "operator", "upstreams.conf"), nginxUpstreams(this.#options.upstreams, down));
    this.child.kill("SIGHUP");
    const isNew = () => this.#workers().length > 0 && this.#workers().every((pid) => !before.includes(pid));
    await waitFor("nginx has new workers only", isNew, { withinMs: 20_000 });
  }

  #workers(): string[] {
    return readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, "utf8").trim().split(" ").filter(Boolean);
  }

  /** nginx ends its own workers; killed, it would leave them to whoever takes in orphans. */
  #kill(): void {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return;
    if (this.kind === "nginx") this.child.kill("SIGTERM");
    else process.kill(-this.child.pid, "SIGKILL");
  }
}

const shippedFiles: PerProxy<readonly string[]> = {
  nginx: ["nginx.conf", "guard.conf", "answers.conf"],
  haproxy: ["proxy.cfg"],
};

function copyShipped({ kind, folder }: At, { changes = [] }: ProxyOptions): void {
  const from = join(rootDir, "deploy", kind);
  cpSync(from, folder, { recursive: true });
  const texts = new Map(shippedFiles[kind].map((file) => [file, readFileSync(join(from, file), "utf8")]));
  for (const [now, then] of changes) {
    const places = [...texts].filter(([, text]) => text.includes(now));
    if (places.length === 0) throw new Error(`no file of ${kind} says "${now}"`);
    for (const [file, text] of places) texts.set(file, text.replaceAll(now, then));
  }
  for (const [file, text] of texts) writeFileSync(join(folder, file), text);
}

type Command = [command: string, args: string[], env: Record<string, string>];

function nginxCommand(at: At, options: ProxyOptions): Command {
  const { folder, port, plainPort } = at;
  const { pem, key } = testCertificate();
  const shipped = (file: string) => readFileSync(join(rootDir, "deploy/nginx/operator", file), "utf8");
  const operator = (file: string, text: string) => writeFileSync(join(folder, "operator", file), text);
  const machine = shipped("machine.conf")
    .replace(/^user .*;/m, process.getuid?.() === 0 ? "user root;" : "")
    .replace(/(?<=^pid +).*(?=;)/m, "nginx.pid")
    .replace(/(?<=^worker_processes ).*(?=;)/m, "2")
    .replace(/(?<=^error_log )\S+/m, "error.log");
  operator("machine.conf", machine);
  // Relative paths lie in the folder given by -p.
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path temp-${name};`);
  operator("places.conf", `${shipped("places.conf").replace(/(?<=^access_log )\S+/m, "access.log")}${temps.join("\n")}\n`);
  operator("upstreams.conf", nginxUpstreams(options.upstreams));
  const site = shipped("site.conf")
    .replaceAll(/^listen .*\n/gm, "")
    .replace(/(?<=^server_name ).*(?=;)/m, "shop.test")
    .replace(/(?<=^ssl_certificate +).*(?=;)/m, pem)
    .replace(/(?<=^ssl_certificate_key ).*(?=;)/m, key)
    .replace(/(?<=^limit_conn doorbuster_clients ).*(?=;)/m, String(options.perClientMax ?? 100))
    .replace(/(?<=^limit_conn doorbuster_all +).*(?=;)/m, String(options.inAllMax ?? 1_000));
  operator("site.conf", `listen 127.0.0.1:${plainPort};\nlisten 127.0.0.1:${port} ssl http2;\n${site}`);
  const conf = join(folder, "nginx.conf");
  return ["nginx", ["-p", folder, "-c", conf, "-e", join(folder, "error.log"), "-g", "daemon off;"], {}];
}

function nginxUpstreams(upstreams: readonly string[], down?: number): string {
  const [line = ""] = readFileSync(join(rootDir, "deploy/nginx/operator/upstreams.conf"), "utf8").match(/^server .*$/m) ?? [];
  const lineOf = (at: string, index: number) => line.replace(/(?<=^server )\S+?(?=[ ;])/, at).replace(";", index === down ? " down;" : ";");
  return `${upstreams.map(lineOf).join("\n")}\n`;
}

function haproxyCommand(at: At, options: ProxyOptions): Command {
  const { folder, port, plainPort } = at;
  const socket = join(folder, "admin.sock");
  writeFileSync(join(folder, "machine.cfg"), `global\n    log stdout format raw local0\n    stats socket ${socket} mode 600 level admin\n`);
  const servers = options.upstreams.map((upstream, i) => `    server ${names[i]} ${upstream}\n`);
  const shipped = readFileSync(join(rootDir, "deploy/haproxy/upstreams.cfg"), "utf8");
  writeFileSync(join(folder, "upstreams.cfg"), shipped.replaceAll(/^ +server .*\n/gm, "") + servers.join(""));
  const env = {
    PROXY_NAME: "shop.test",
    PROXY_PLAIN: `127.0.0.1:${plainPort}`,
    PROXY_TLS: `127.0.0.1:${port}`,
    PROXY_CERTIFICATE: testCertificate().both,
    PROXY_CLIENT_CONNECTIONS_MAX: String(options.perClientMax ?? 100),
    PROXY_CONNECTIONS_MAX: String(options.inAllMax ?? 1_000),
  };
  return ["haproxy", ["-db", "-f", folder], env];
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (resolve(true), socket.destroy()));
    socket.once("error", () => resolve(false));
  });
