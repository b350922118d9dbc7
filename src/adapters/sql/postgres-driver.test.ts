import { createServer, type AddressInfo, type Socket } from "node:net";
import { expect, test } from "bun:test";
import { openPostgres } from "./postgres-driver.ts";
import { ServerError } from "./server-driver.ts";
import { serverLimitsDefault } from "./server-store.ts";

/** A message of the protocol: its letter, its length, its body. */
function message(letter: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}
const ready = (state: "I" | "T") => message("Z", state);
const ended = message("E", "SFATAL\0VFATAL\0C25P03\0Mterminating connection due to idle-in-transaction timeout\0\0");

/** Each message's letter. */
function messagesIn(data: Buffer): string[] {
  const letters: string[] = [];
  for (let at = 0; at < data.length; at += 1 + data.readInt32BE(at + 1)) letters.push(String.fromCharCode(data[at] ?? 0));
  return letters;
}

/** As much of a server as a connection and its BEGIN need; then it ends the connection while nobody asks it anything. */
async function serverThatEndsConnections() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    let isOpen = false;
    socket.on("data", (data: Buffer) => {
      if (isOpen) return void socket.write(Buffer.concat(messagesIn(data).map(() => Buffer.concat([message("C", "BEGIN\0"), ready("T")]))));
      isOpen = true;
      socket.write(Buffer.concat([message("R", Buffer.alloc(4)), ready("I")]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of its kind.
  const { port } = server.address() as AddressInfo;
  const endAll = () => Promise.all(sockets.map((socket) => new Promise((gone) => socket.end(ended).once("close", gone))));
  return { url: new URL(`postgres://somebody@127.0.0.1:${port}/shop`), endAll, close: () => server.close() };
}

test("a connection that the server ends in the middle of a transaction fails its next statement, and not the process", async () => {
  const { url, endAll, close } = await serverThatEndsConnections();
  const driver = openPostgres(url, serverLimitsDefault);
  const connection = await driver.connect("write");
  await connection.begin();
  // BEGIN goes with it, and is answered before it.
  await connection.rollback();
  // An error that nobody listens to would end this process now.
  await endAll();
  const kind = await connection.commit().catch((error: unknown) => error instanceof ServerError && error.kind);
  // The server's last words may still reach the BEGIN; no bug of ours either way.
  expect(["lost", "unavailable"]).toContain(String(kind));
  connection.destroy();
  await driver.close();
  close();
});
