/** The first bytes of a conversation with an engine: whether anybody is at home, without a client that has its own patience. */
import { connect } from "node:net";
import { onCleanup } from "../cleanup.ts";
import type { EngineName } from "./availability.ts";

const openings: Readonly<Record<EngineName, Buffer>> = {
  // The server speaks first.
  mariadb: Buffer.alloc(0),
  // SSLRequest, which is answered before anything is asked of the database.
  postgres: Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]),
  redis: Buffer.from("PING\r\n"),
  rabbitmq: Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]),
};

/** A conversation that has been opened; `isAnswered` turns true when the engine says anything. */
export type Hello = { readonly isAnswered: () => boolean };

/** Resolves when the connection is made, which the kernel does for a frozen process, too. */
export function sayHello(name: EngineName, port: number): Promise<Hello> {
  return new Promise((resolve, reject) => {
    let heard = 0;
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(openings[name]);
      resolve({ isAnswered: () => heard > 0 });
    });
    socket.on("data", (bytes: Buffer) => (heard += bytes.length));
    socket.once("error", reject);
    const release = onCleanup(`a hello to ${name}`, () => socket.destroy());
    socket.once("close", release);
  });
}
