/**
 * A process of clients of a sale's live stream: started by pixels.ts with the stream's address and their number. Says on
 * its output when all of them hear (each from an address of its own, as a proxy would say it: one address has few streams), and how many frames they heard when it is stopped.
 */
import { connect } from "node:net";

const [url = "", countText = "0"] = process.argv.slice(2);
const { hostname, port, pathname, host } = new URL(url);
const wanted = Number(countText);
let hearing = 0;
let frames = 0;

for (let client = 0; client < wanted; client++) {
  const socket = connect(Number(port), hostname, () =>
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: 10.0.${client >> 8}.${client & 255}\r\nAccept: text/event-stream\r\n\r\n`,
    ),
  );
  let heard = false;
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    if (!chunk.includes("event: stock")) return;
    frames += 1;
    if (heard) return;
    heard = true;
    hearing += 1;
    if (hearing === wanted) console.log("all hear");
  });
  socket.on("error", (error) => {
    console.error(`a listener lost its stream: ${String(error)}`);
    process.exit(1);
  });
}

process.on("SIGTERM", () => {
  console.log(`frames ${frames}`);
  process.exit(0);
});
