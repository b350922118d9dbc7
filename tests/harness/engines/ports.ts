/**
 * Ports of the loopback address for engines, which come back on the same port after a kill. They lie below the range from
 * which the kernel takes ports for outgoing connections: one of those, made while an engine is down, would keep it from
 * its port. A bound UDP socket of the same number marks a port as taken, so that parallel runs never share one; the kernel
 * lets it go with this process, however that ends.
 */
import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { randomInt } from "node:crypto";

export type Ports = { readonly numbers: readonly number[]; readonly release: () => void };

const host = "127.0.0.1";
const first = 10_000;
const triesMax = 2_000;

export async function reservePorts(count: number): Promise<Ports> {
  const marks: Socket[] = [];
  const numbers: number[] = [];
  const release = () => marks.splice(0).forEach((mark) => mark.close());
  for (let tries = 0; numbers.length < count; tries++) {
    if (tries === triesMax) throw (release(), new Error(`found no free port in ${triesMax} tries`));
    const port = randomInt(first, outgoingFrom());
    const mark = await marked(port);
    if (mark === undefined) continue;
    marks.push(mark);
    if (await isFree(port)) numbers.push(port);
  }
  return { numbers, release };
}

/** Where the kernel's ports for outgoing connections begin; 32768 unless somebody set it. */
function outgoingFrom(): number {
  try {
    const from = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/)[0]);
    return Math.max(from, first + 1_000);
  } catch {
    return 32_768;
  }
}

function marked(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(undefined));
    socket.bind({ address: host, port, exclusive: true }, () => resolve(socket.unref()));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether somebody accepts connections on a port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (is: boolean) => (socket.destroy(), resolve(is));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
