/** Clients of live streams on sockets of their own: one reads, one does not. */
import { connect, type Socket } from "node:net";
import { onCleanup } from "./cleanup.ts";
import { eventsIn, type HeardEvent } from "../kit/event-reader.ts";

export class EventClient {
  readonly socket: Socket;
  text = "";
  isClosed = false;

  constructor(url: string, path: string, headers: Readonly<Record<string, string>> = {}) {
    const { hostname, port, host } = new URL(url);
    const lines = Object.entries({ Host: host, Accept: "text/event-stream", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket = connect(Number(port), hostname, () => this.socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
    this.socket.setEncoding("utf8");
    this.socket.on("data", (chunk) => (this.text += String(chunk)));
    this.socket.on("close", () => (this.isClosed = true));
    this.socket.on("error", () => (this.isClosed = true));
    const release = onCleanup(`client of ${path}`, () => this.socket.destroy());
    this.socket.once("close", release);
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  get head(): string {
    return this.text.split("\r\n\r\n", 1)[0] ?? "";
  }

  /** The body, out of its chunks: frames are short, and none holds a line break of HTTP. */
  get body(): string {
    return this.text.slice(this.head.length + 4).replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, "");
  }

  get events(): HeardEvent[] {
    return eventsIn(this.body);
  }

  named(event: string): HeardEvent[] {
    return this.events.filter((heard) => heard.event === event);
  }

  leave(): void {
    this.socket.destroy();
  }
}
