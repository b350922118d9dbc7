/**
 * What stands in for the product where a test counts what arrives: it takes each request off the socket byte by byte, keeps it
 * as it came, and does what the test says. It reads only what no reader could take for something else, so a request that is
 * not clean HTTP is kept as such instead of being guessed at.
 */
import { createServer, type Server, type Socket } from "node:net";
import { onCleanup } from "../harness/cleanup.ts";

export type Arrival = {
  readonly method: string;
  readonly target: string;
  /** Names in lower case; of one that came twice, both values. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly head: string;
  readonly body: string;
  readonly connection: number;
};
/** What to do with a request that is there as a whole. `socket` may be used for anything but `answer`. */
export type Behaviour = (arrival: Arrival, socket: Socket) => void;

export const answer = (socket: Socket, body = "{}", status = "200 OK", headers = ""): void =>
  void socket.write(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nX-Request-Id: stub\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

export class StubUpstream {
  readonly arrivals: Arrival[] = [];
  /** Heads that no strict reader takes. */
  readonly unclean: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Map<number, Socket>();
  behave: Behaviour = (_, socket) => answer(socket);
  /** What health checks hear. */
  isReady = true;
  #next = 0;

  private constructor() {
    this.#server = createServer((socket) => this.#take(socket));
  }

  static async start(port = 0): Promise<StubUpstream> {
    const stub = new StubUpstream();
    await new Promise<void>((resolve, reject) => {
      stub.#server.once("error", reject);
      stub.#server.listen(port, "127.0.0.1", resolve);
    });
    onCleanup(`stub ${stub.at}`, () => void stub.stop());
    return stub;
  }

  get at(): string {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "nowhere";
  }

  /** Of connections that are open now. */
  get sockets(): readonly Socket[] {
    return [...this.#sockets.values()];
  }

  /** Frees the port, at once. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }

  #take(socket: Socket): void {
    const connection = this.#next++;
    this.#sockets.set(connection, socket);
    let rest = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      rest += String(chunk);
      for (;;) {
        const read = readRequest(rest, connection);
        if (read === undefined) return;
        rest = read.rest;
        if ("unclean" in read) this.unclean.push(read.unclean);
        else if (read.arrival.target === "/readyz") answer(socket, "{}", this.isReady ? "200 OK" : "503 Service Unavailable");
        else {
          this.arrivals.push(read.arrival);
          this.behave(read.arrival, socket);
        }
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(connection));
  }
}

type Read = { readonly rest: string } & ({ readonly arrival: Arrival } | { readonly unclean: string });

function readRequest(text: string, connection: number): Read | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const [first = "", ...lines] = head.split("\r\n");
  const [, method = "", target = ""] = /^([A-Z-]+) (\S+) HTTP\/1\.[01]$/.exec(first) ?? [];
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/.exec(line) ?? [];
    headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
  }
  const lengths = headers.get("content-length") ?? [];
  const codings = headers.get("transfer-encoding") ?? [];
  const isOld = first.endsWith("1.0") && codings.length > 0;
  const isClean = method !== "" && !isOld && !headers.has("") && lengths.length + codings.length <= 1 && /^\d*$/.test(lengths[0] ?? "");
  // Whatever follows cannot be told from its body.
  if (!isClean) return { unclean: head, rest: "" };
  const body = codings.length === 0 ? text.slice(end + 4, end + 4 + Number(lengths[0] ?? 0)) : chunksIn(text.slice(end + 4));
  if (body === undefined || (codings.length === 0 && body.length < Number(lengths[0] ?? 0))) return undefined;
  return { arrival: { method, target, headers, head, body, connection }, rest: text.slice(end + 4 + body.length) };
}

/** All chunks as they came, with the last one; undefined until it is there. */
function chunksIn(text: string): string | undefined {
  let at = 0;
  for (;;) {
    const [line, size] = /^([0-9a-fA-F]+)\r\n/.exec(text.slice(at)) ?? [];
    if (line === undefined || size === undefined) return undefined;
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      const end = text.indexOf("\r\n\r\n", at);
      return end < 0 ? undefined : text.slice(0, end + 4);
    }
    at += line.length + length + 2;
    if (at > text.length) return undefined;
  }
}
