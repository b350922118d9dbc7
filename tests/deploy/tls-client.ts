/** A client of a proxy on a TLS connection of its own, from whichever loopback address it likes, as fast or as slow as it likes. */
import { connect as connectPlainly } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { onCleanup } from "../harness/cleanup.ts";
import { waitFor } from "../harness/wait.ts";
import { eventsIn, type HeardEvent } from "../kit/event-reader.ts";
import { testCertificate, type ProxyProcess } from "./proxies.ts";

export type Ask = {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** What follows the headers as it is, in place of a body. */
  readonly tail?: string | undefined;
  /** An address of 127.0.0.0/8. */
  readonly from?: string | undefined;
};
export type Told = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Of the envelope, if it is one. */
  readonly code: number | undefined;
  readonly reason: string | undefined;
};

const answerMaxMs = 20_000;

export class TlsClient {
  readonly socket: TLSSocket;
  text = "";
  isOpen = false;
  isClosed = false;

  /** `named`: an address told by the PROXY protocol, to a proxy that believes it. */
  constructor(proxy: ProxyProcess, { from = "127.0.0.1", named }: { from?: string | undefined; named?: string | undefined } = {}) {
    const at = { port: proxy.port, host: "127.0.0.1", localAddress: from };
    const socket = named === undefined ? undefined : connectPlainly(at);
    socket?.write(`PROXY ${named?.includes(":") ? `TCP6 ${named} ::1` : `TCP4 ${named} 127.0.0.1`} 4711 443\r\n`);
    const secure = { servername: "shop.test", ca: testCertificate().text, ALPNProtocols: ["http/1.1"] };
    this.socket = connect({ ...(socket === undefined ? at : { socket }), ...secure }, () => (this.isOpen = true));
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk) => (this.text += String(chunk)));
    this.socket.on("close", () => (this.isClosed = true));
    this.socket.on("error", () => (this.isClosed = true));
    const release = onCleanup(`client of ${proxy.kind}`, () => this.socket.destroy());
    this.socket.once("close", release);
  }

  /** Resolves to whether it got in. */
  async opened(): Promise<boolean> {
    await waitFor("the connection is open or refused", () => this.isOpen || this.isClosed);
    return this.isOpen && !this.isClosed;
  }

  write(text: string): void {
    if (!this.isClosed) this.socket.write(text);
  }

  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
  }

  get head(): string {
    return this.text.split("\r\n\r\n", 1)[0] ?? "";
  }

  /** Out of its chunks, if it came in some. */
  get body(): string {
    const body = this.text.slice(this.head.length + 4);
    return /\r\ntransfer-encoding: chunked/i.test(this.head) ? body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, "").replace(/\r\n$/, "") : body;
  }

  get events(): HeardEvent[] {
    return eventsIn(this.body);
  }

  get told(): Told {
    const [, ...lines] = this.head.split("\r\n");
    const headers = new Headers(lines.map((line): [string, string] => [line.split(":", 1)[0] ?? "", line.slice(line.indexOf(":") + 1)]));
    const { body } = this;
    const envelope = body.startsWith("{") ? JSON.parse(body) : {};
    return { status: this.statuses[0] ?? 0, headers, body, code: envelope.code, reason: envelope.data?.reason };
  }

  leave(): void {
    this.socket.destroy();
  }
}

export function requestText(path: string, { method = "GET", headers = {}, body, tail }: Ask = {}): string {
  const length = body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(body)) };
  const lines = Object.entries({ Host: "shop.test", ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? tail ?? ""}`;
}

/** One request on one connection. Status 0 is a connection that closed without an answer. */
export async function ask(proxy: ProxyProcess, path: string, { from, ...request }: Ask = {}): Promise<Told> {
  const client = new TlsClient(proxy, { from });
  client.write(requestText(path, { ...request, headers: { ...request.headers, Connection: "close" } }));
  await waitFor(`${proxy.kind}'s answer to ${path.slice(0, 80)}`, () => client.isClosed, { withinMs: answerMaxMs, everyMs: 5 });
  return client.told;
}
