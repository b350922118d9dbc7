/**
 * Each fault on real sockets, with a control that passes: beside it a connection without the fault, before it the same
 * connection, or after it what was restored. Faults last until they are taken away, so that no test measures time.
 */
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "bun:test";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describeWithEngine } from "./engines/describe-with-engine.ts";
import { runSql } from "./engines/sql-databases.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { pause, waitFor } from "./wait.ts";

/** Answers each line with the same in capitals, and remembers what it was asked. */
let server: Server;
const asked: string[] = [];
const served = new Set<Socket>();
let targetPort = 0;
/** How long something that comes at all would need, many times over. */
const silentMs = 100;
const forEver = 3_600_000;

beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    served.add(socket);
    socket.on("data", (bytes) => {
      asked.push(String(bytes));
      socket.write(String(bytes).toUpperCase());
    });
    socket.on("end", () => socket.end());
    socket.on("error", () => undefined);
    socket.on("close", () => served.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  targetPort = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(() => void server.close());

let proxy: TcpProxy;
beforeEach(async () => {
  asked.length = 0;
  proxy = await TcpProxy.open(targetPort);
});
afterEach(async () => {
  proxy.close();
  for (const client of clients.splice(0)) client.socket.destroy();
  await waitFor("the end of the proxy's connections", () => served.size === 0);
});

const clients: Client[] = [];

class Client {
  readonly socket: Socket;
  heard = "";
  isConnected = false;
  hasEnded = false;
  isClosed = false;
  error: string | undefined;

  constructor(port: number) {
    clients.push(this);
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }, () => (this.isConnected = true));
    this.socket.on("data", (bytes) => (this.heard += String(bytes)));
    this.socket.on("end", () => (this.hasEnded = true));
    this.socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error.code));
    this.socket.on("close", () => (this.isClosed = true));
  }

  say(text: string): this {
    this.socket.write(text);
    return this;
  }

  hears(text: string): Promise<unknown> {
    return waitFor(`"${text}"`, () => this.heard === text || (this.heard.length > text.length && this.heard));
  }

  async asks(text: string): Promise<void> {
    this.heard = "";
    this.say(text);
    await this.hears(text.toUpperCase());
    expect(this.heard).toBe(text.toUpperCase());
  }
}

const open = () => new Client(proxy.port);
const direct = () => new Client(targetPort);

test("without a fault everything goes through, both ends included", async () => {
  const client = open();
  await client.asks("hello");
  expect(asked).toEqual(["hello"]);
  expect(proxy.connections).toBe(1);
  client.socket.end();
  await waitFor("the other end", () => client.hasEnded && client.isClosed);
  await waitFor("the end of the connection", () => proxy.connections === 0);
});

test("without a fault much goes through unchanged", async () => {
  const client = open();
  const text = "abcdefghij".repeat(200_000);
  await client.asks(text);
  expect(proxy.queuedBytes).toBe(0);
});

test("latency keeps bytes back until it is over, and in their order", async () => {
  const client = open();
  await client.asks("fast");
  proxy.latency(forEver);
  client.heard = "";
  client.say("slow");
  await direct().asks("beside");
  expect([client.heard, asked]).toEqual(["", ["fast", "beside"]]);
  client.say("er");
  await pause(silentMs);
  await proxy.restore();
  await client.hears("SLOWER");
});

test("latency lets bytes through", async () => {
  proxy.latency(20);
  await open().asks("late");
});

test("latency holds for connections that are made under it", async () => {
  proxy.latency(forEver);
  const client = open().say("slow");
  await waitFor("what waits", () => proxy.queuedBytes === 4);
  expect([client.isConnected, client.heard, asked]).toEqual([true, "", []]);
});

test("a narrow line brings some and then the rest", async () => {
  const client = open();
  proxy.bandwidth(200);
  const text = "x".repeat(10_000);
  client.say(text);
  await waitFor("the first bytes", () => client.heard !== "");
  expect(client.heard.length).toBeLessThan(10_000);
  await proxy.restore();
  await client.hears(text.toUpperCase());
});

test("a broad line brings all", async () => {
  proxy.bandwidth(10_000_000);
  await open().asks("x".repeat(100_000));
});

test("a black hole accepts and says nothing, and lets out what it holds", async () => {
  const before = open();
  await before.asks("before");
  proxy.blackHole();
  const during = open();
  await waitFor("a connection", () => during.isConnected);
  before.heard = "";
  before.say("held");
  during.say("held too");
  await pause(silentMs);
  expect([before.heard, during.heard, before.isClosed, during.isClosed, asked]).toEqual(["", "", false, false, ["before"]]);
  expect(served.size).toBe(1);
  await proxy.restore();
  await Promise.all([before.hears("HELD"), during.hears("HELD TOO")]);
});

test("a black hole tells neither side that the other has gone", async () => {
  const client = open();
  await client.asks("before");
  proxy.blackHole();
  client.socket.resetAndDestroy();
  await pause(silentMs);
  expect([served.size, proxy.connections]).toEqual([1, 1]);
  await proxy.restore();
  await waitFor("the end of the other side", () => served.size === 0 && proxy.connections === 0);
});

test("a reset ends every connection at both ends, and new ones go through", async () => {
  const [one, two] = [open(), open()];
  await Promise.all([one.asks("one"), two.asks("two")]);
  proxy.reset();
  await waitFor("both resets", () => one.isClosed && two.isClosed && served.size === 0);
  expect([one.error, two.error]).toEqual(["ECONNRESET", "ECONNRESET"]);
  await open().asks("new");
});

test("without replies what was asked is done, and nobody hears of it", async () => {
  const client = open();
  await client.asks("before");
  proxy.cut("replies");
  client.heard = "";
  client.say("done");
  await waitFor("the request", () => asked.includes("done"));
  await pause(silentMs);
  expect([client.heard, client.isClosed]).toEqual(["", false]);
  await proxy.restore();
  await waitFor("the reset of a connection with a gap", () => client.isClosed);
  expect([client.heard, client.error]).toEqual(["", "ECONNRESET"]);
  await open().asks("new");
});

test("without requests nothing is done, while what the other side says comes through", async () => {
  const client = open();
  await client.asks("before");
  proxy.cut("requests");
  client.say("lost");
  for (const socket of served) socket.write("by itself");
  client.heard = "";
  await client.hears("by itself");
  await pause(silentMs);
  expect(asked).toEqual(["before"]);
  await proxy.restore();
  await waitFor("the reset of a connection with a gap", () => client.isClosed && served.size === 0);
  await open().asks("new");
});

test("a cut line that lost nothing goes on when it is restored", async () => {
  const client = open();
  await client.asks("before");
  proxy.cut("replies");
  await proxy.restore();
  await client.asks("after");
});

test("without replies a server that has gone is not heard of", async () => {
  const client = open();
  await client.asks("before");
  proxy.cut("replies");
  for (const socket of served) socket.destroy();
  await waitFor("the server's end", () => served.size === 0);
  await pause(silentMs);
  expect([client.hasEnded, client.isClosed]).toEqual([false, false]);
  await proxy.restore();
  await waitFor("the end", () => client.isClosed);
});

test("who is refused hears so at once, while open connections go on", async () => {
  const client = open();
  await client.asks("before");
  proxy.refuse();
  const refused = open();
  await waitFor("the refusal", () => refused.isClosed);
  expect(refused.error).toBe("ECONNREFUSED");
  await client.asks("still");
  await proxy.restore();
  await open().asks("after");
});

test.each([
  ["requests", "abcdef", ["abc"], "ABC"],
  ["replies", "abcdef", ["abcdef"], "ABC"],
] as const)("a limit of %s lets so many bytes pass and cuts then", async (direction, text, reached, heard) => {
  const client = open();
  await client.asks("before");
  client.heard = "";
  proxy.cutAfter(direction, 3);
  client.say(text);
  await waitFor("the cut", () => client.isClosed || client.hasEnded);
  await waitFor("the server's end", () => served.size === 0);
  expect(asked.slice(1)).toEqual([...reached]);
  if (direction === "replies") expect(client.heard).toBe(heard);
  else await waitFor("the sender's reset", () => client.error === "ECONNRESET");
  await proxy.restore();
  await open().asks("abcdef");
});

test("a limit that is not reached cuts nothing, and is each connection's own", async () => {
  proxy.cutAfter("requests", 6);
  const [one, two] = [open(), open()];
  await one.asks("12345");
  await two.asks("12345");
  await proxy.restore();
  await one.asks("1234567890");
});

test("who writes faster than the line waits, and memory does not grow", async () => {
  const client = open();
  await client.asks("before");
  proxy.blackHole();
  const chunk = "x".repeat(1_000_000);
  let written = 0;
  while (written < 64_000_000 && client.socket.write(chunk)) written += chunk.length;
  for (let i = 0; i < 31; i++) client.socket.write(chunk);
  await pause(silentMs);
  expect(proxy.queuedBytes).toBeGreaterThan(0);
  expect(proxy.queuedBytes).toBeLessThan(4_000_000);
});

test("who does not read is waited for, and memory does not grow", async () => {
  const client = open();
  await client.asks("before");
  client.socket.pause();
  for (const socket of served) for (let i = 0; i < 32; i++) socket.write("x".repeat(1_000_000));
  await waitFor("what waits", () => proxy.queuedBytes > 0);
  await pause(silentMs);
  expect(proxy.queuedBytes).toBeLessThan(4_000_000);
});

test("a server that is not there is a reset", async () => {
  using nowhere = await TcpProxy.open(1);
  const client = new Client(nowhere.port);
  await waitFor("the reset", () => client.isClosed);
  expect(client.error).toBe("ECONNRESET");
});

describeWithEngine("mariadb", "before a real engine", (engine) => {
  test("a write whose reply is lost was made", async () => {
    const url = await engine().database("proxied");
    await runSql(url, "CREATE TABLE words (word varchar(40))");
    using through = await TcpProxy.open(url);
    expect(await runSql(through.through(url), "SELECT count(*) AS n FROM words")).toEqual([expect.objectContaining({ n: 0 })]);
    const writing = runSql(through.through(url), "INSERT INTO words SELECT concat('late', sleep(0.5))", { withinMs: 1_000 });
    await waitFor("the statement at the engine", async () => {
      const [row] = await runSql(url, "SELECT count(*) AS n FROM information_schema.processlist WHERE state = 'User sleep'");
      return Number(row?.["n"]) > 0;
    });
    through.cut("replies");
    await expect(writing).rejects.toThrow();
    await waitFor("the row", async () => Number((await runSql(url, "SELECT count(*) AS n FROM words"))[0]?.["n"]) === 1);
  });
});
