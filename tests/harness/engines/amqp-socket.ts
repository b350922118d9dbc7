/**
 * As much of AMQP 0-9-1 as it takes to ask a broker whether it works: one connection, one channel, durable queues,
 * persistent messages with confirms. The client of the product is another one, so that one cannot hide the other's mistakes.
 */
import { connect, type Socket } from "node:net";
import { bounded, waitFor } from "../wait.ts";

type Method = { readonly classId: number; readonly methodId: number; readonly args: Buffer };

const short = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const long = (value: number) => Buffer.from([value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);
const shortText = (text: string) => Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
const longBytes = (bytes: Buffer) => Buffer.concat([long(bytes.length), bytes]);
const zero = Buffer.from([0]);
const frameEnd = 0xce;
/** A table in a table: { capabilities: { "connection.blocked": true } }, or the broker would block without a word. */
const capabilities = Buffer.concat([shortText("connection.blocked"), Buffer.from("t"), Buffer.from([1])]);
const properties = Buffer.concat([shortText("capabilities"), Buffer.from("F"), longBytes(capabilities)]);

export class AmqpSocket implements Disposable {
  readonly #socket: Socket;
  readonly #answers: Method[] = [];
  #rest = Buffer.alloc(0);
  #ended: string | undefined;
  /** Whether the broker has said that it takes no message for want of memory or disk. */
  isBlocked = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => this.#take(Buffer.from(bytes)));
    socket.on("error", (error) => (this.#ended = String(error)));
    socket.on("close", () => (this.#ended ??= "the broker closed the connection"));
  }

  /** Logs in and opens a channel. */
  static async open(url: string, { withinMs = 10_000 }: { withinMs?: number } = {}): Promise<AmqpSocket> {
    const { hostname, port, username, password, pathname } = new URL(url);
    const amqp = new AmqpSocket(connect(Number(port), hostname));
    const vhost = pathname === "" ? "/" : decodeURIComponent(pathname.slice(1));
    try {
      await bounded(
        "a login to the broker",
        withinMs,
        amqp.#login(`\0${decodeURIComponent(username)}\0${decodeURIComponent(password)}`, vhost),
      );
      return amqp;
    } catch (error) {
      amqp[Symbol.dispose]();
      throw error;
    }
  }

  async #login(response: string, vhost: string): Promise<void> {
    this.#socket.write(Buffer.concat([Buffer.from("AMQP"), Buffer.from([0, 0, 9, 1])]));
    await this.#answer(10, 10);
    this.#send(0, 10, 11, longBytes(properties), shortText("PLAIN"), longBytes(Buffer.from(response)), shortText("en_US"));
    const tune = await this.#answer(10, 30);
    // Its own limits, without heartbeats.
    this.#send(0, 10, 31, tune.args.subarray(0, 6), short(0));
    this.#send(0, 10, 40, shortText(vhost), zero, zero);
    await this.#answer(10, 41);
    this.#send(1, 20, 10, zero);
    await this.#answer(20, 11);
    this.#send(1, 85, 10, zero);
    await this.#answer(85, 11);
  }

  /** Makes a durable queue unless it is there; gives how many messages it holds. */
  async declare(queue: string): Promise<number> {
    const durable = Buffer.from([0b10]);
    this.#send(1, 50, 10, short(0), shortText(queue), durable, long(0));
    const { args } = await this.#answer(50, 11);
    return args.readUInt32BE(1 + args.readUInt8(0));
  }

  /** Sends a persistent message; resolves when the broker has confirmed it, which it does when it is on disk. */
  async publish(queue: string, text: string): Promise<void> {
    const body = Buffer.from(text);
    const persistent = Buffer.concat([short(0x1000), Buffer.from([2])]);
    this.#send(1, 60, 40, short(0), shortText(""), shortText(queue), zero);
    this.#frame(2, 1, Buffer.concat([short(60), short(0), long(0), long(body.length), persistent]));
    this.#frame(3, 1, body);
    await this.#answer(60, 80);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #send(channel: number, classId: number, methodId: number, ...args: readonly Buffer[]): void {
    this.#frame(1, channel, Buffer.concat([short(classId), short(methodId), ...args]));
  }

  #frame(type: number, channel: number, payload: Buffer): void {
    this.#socket.write(Buffer.concat([Buffer.from([type]), short(channel), longBytes(payload), Buffer.from([frameEnd])]));
  }

  #answer(classId: number, methodId: number): Promise<Method> {
    return waitFor(
      `the broker's answer ${classId}.${methodId}`,
      () => {
        const at = this.#answers.findIndex((method) => method.classId === classId && method.methodId === methodId);
        if (at >= 0) return this.#answers.splice(at, 1)[0];
        if (this.#ended !== undefined) throw new Error(this.#ended);
        return undefined;
      },
      { everyMs: 2 },
    );
  }

  #take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 8) {
      const size = this.#rest.readUInt32BE(3);
      if (this.#rest.length < size + 8) return;
      const [type, payload] = [this.#rest.readUInt8(0), this.#rest.subarray(7, size + 7)];
      this.#rest = this.#rest.subarray(size + 8);
      if (type === 1) this.#hear({ classId: payload.readUInt16BE(0), methodId: payload.readUInt16BE(2), args: payload.subarray(4) });
    }
  }

  #hear(method: Method): void {
    const { classId, methodId, args } = method;
    if (classId === 10 && (methodId === 60 || methodId === 61)) this.isBlocked = methodId === 60;
    // Connection.Close and Channel.Close say why.
    else if ((classId === 10 && methodId === 50) || (classId === 20 && methodId === 40))
      this.#ended = `the broker closes: ${args.subarray(3, 3 + args.readUInt8(2)).toString()}`;
    else this.#answers.push(method);
  }
}
