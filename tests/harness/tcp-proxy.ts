/**
 * A listener before a server that does to connections what networks do: slow, silent, one-way, cut, refused. A fault holds
 * for open and for new connections until `restore`. A connection that lost bytes is reset by `restore`, since no network
 * delivers what comes after a gap; one that was only held goes on.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { reservePorts, type Ports } from "./engines/ports.ts";
import { TcpPipe, type Direction, type Line } from "./tcp-pipe.ts";

type Target = { readonly host: string; readonly port: number };

const host = "127.0.0.1";

function targetOf(target: string | number): Target {
  if (typeof target === "number") return { host, port: target };
  const { hostname, port } = new URL(target);
  if (port === "") throw new Error(`cannot stand before "${hostname}": its url names no port`);
  return { host: hostname, port: Number(port) };
}

export class TcpProxy implements Disposable {
  #target: Target;
  readonly #ports: Ports;
  readonly #links = new Set<Link>();
  readonly #line: Line = freshLine();
  #server: Server | undefined;

  private constructor(target: Target, ports: Ports) {
    this.#target = target;
    this.#ports = ports;
  }

  /** Before the server of a url, or before a port of this machine. */
  static async open(target: string | number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetOf(target), await reservePorts(1));
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#ports.numbers[0] ?? 0;
  }

  /** The same url, through this proxy. */
  through(url: string): string {
    const changed = new URL(url);
    // The target may be on another machine; this is on ours.
    changed.hostname = host;
    changed.port = String(this.port);
    return changed.href;
  }

  /** New connections go to another server; open ones stay, as with a name that leads elsewhere. */
  leadTo(target: string | number): void {
    this.#target = targetOf(target);
  }

  get connections(): number {
    return this.#links.size;
  }

  /** What waits in memory. */
  get queuedBytes(): number {
    return [...this.#links].reduce((sum, link) => sum + link.queuedBytes, 0);
  }

  /** So long each way. */
  latency(ms: number): void {
    this.#line.latencyMs = ms;
    this.#poke();
  }

  /** So much each way of each connection. */
  bandwidth(bytesPerSecond: number): void {
    this.#line.bytesPerSecond = bytesPerSecond;
    this.#poke();
  }

  /** Accepts, and forwards nothing: whoever speaks hears nothing, not even that nobody is there. */
  blackHole(): void {
    this.#line.isHeld = true;
  }

  /** One way goes through, the other is lost: without "replies" what was asked is done, and nobody hears of it. */
  cut(direction: Direction): void {
    this.#line.swallows[direction] = true;
  }

  /** Cuts each connection when so many more bytes have gone this way. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#line.passes[direction] = bytes;
    for (const link of this.#links) link.limit();
  }

  /** Resets all connections that are open now. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /** Refuses new connections; open ones go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  async restore(): Promise<void> {
    Object.assign(this.#line, freshLine());
    for (const link of this.#links) link.restore();
    await this.#listen();
  }

  close(): void {
    this.refuse();
    this.reset();
    this.#ports.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #poke(): void {
    for (const link of this.#links) link.poke();
  }

  async #listen(): Promise<void> {
    if (this.#server !== undefined) return;
    // Nothing is read before there is somebody to read it.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: this.port, host }, resolve);
    });
  }

  #accept(client: Socket): void {
    const link = new Link(client, this.#line, { target: this.#target, onClose: () => this.#links.delete(link) });
    this.#links.add(link);
    if (!this.#line.isHeld) link.open();
  }
}

/** Two sockets, and what goes between them. */
class Link {
  readonly #client: Socket;
  readonly #line: Line;
  readonly #address: Target;
  readonly #onClose: () => void;
  #target: Socket | undefined;
  #pipes: TcpPipe[] = [];
  /** Whether one side has gone while the other could not hear of it. */
  #isHalf = false;

  constructor(client: Socket, line: Line, { target, onClose }: { target: Target; onClose: () => void }) {
    this.#client = client;
    this.#line = line;
    this.#address = target;
    this.#onClose = onClose;
    this.#watch(client, "requests");
  }

  get queuedBytes(): number {
    return this.#pipes.reduce((sum, pipe) => sum + pipe.queuedBytes, 0);
  }

  open(): void {
    const [client, target] = [this.#client, connect({ ...this.#address, allowHalfOpen: true })];
    this.#target = target;
    this.#watch(target, "replies");
    this.#pipes = [
      new TcpPipe("requests", this.#line, { source: client, sink: target }),
      new TcpPipe("replies", this.#line, { source: target, sink: client }),
    ];
    client.resume();
  }

  poke(): void {
    for (const pipe of this.#pipes) pipe.poke();
  }

  limit(): void {
    for (const pipe of this.#pipes) pipe.limit();
  }

  restore(): void {
    if (this.#isHalf || this.#pipes.some((pipe) => pipe.hasLost)) return this.reset();
    if (this.#target === undefined) this.open();
    this.limit();
    this.poke();
  }

  reset(): void {
    for (const pipe of this.#pipes) pipe.stop();
    for (const socket of [this.#client, this.#target]) if (socket?.destroyed === false) socket.resetAndDestroy();
    this.#onClose();
  }

  /** `direction` is the one in which this socket speaks. */
  #watch(socket: Socket, direction: Direction): void {
    // "close" follows, and says as much.
    socket.on("error", () => undefined);
    socket.on("close", (wasError) => this.#gone(direction, wasError));
  }

  /** The other side hears that this one has gone, unless the line says otherwise. */
  #gone(direction: Direction, wasError: boolean): void {
    const isHeard = !this.#line.isHeld && !this.#line.swallows[direction];
    const isLast = this.#client.destroyed && (this.#target?.destroyed ?? true);
    if (isLast) this.#onClose();
    else if (!isHeard) this.#isHalf = true;
    else if (wasError) this.reset();
  }
}

function freshLine(): Line {
  return {
    latencyMs: 0,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    isHeld: false,
    swallows: { requests: false, replies: false },
    passes: { requests: Number.POSITIVE_INFINITY, replies: Number.POSITIVE_INFINITY },
  };
}
