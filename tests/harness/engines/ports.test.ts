import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { commandOf } from "../server-process.ts";
import { accepts, reservePorts } from "./ports.ts";

test("ports are this process's alone, and free", async () => {
  const many = await Promise.all(Array.from({ length: 20 }, () => reservePorts(10)));
  const numbers = many.flatMap((ports) => ports.numbers);
  expect(new Set(numbers).size).toBe(200);
  expect(await Promise.all(numbers.map(accepts))).toEqual(numbers.map(() => false));
  for (const ports of many) ports.release();
});

test.skipIf(process.platform !== "linux")("the kernel gives none of them to an outgoing connection", async () => {
  const from = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/)[0]);
  const ports = await reservePorts(50);
  expect(Math.max(...ports.numbers)).toBeLessThan(from);
  ports.release();
});

test("another process does not get a port that is taken here, and gets it afterwards", async () => {
  const { numbers, release } = await reservePorts(1);
  const port = numbers[0] ?? 0;
  const script = `
    const socket = require("node:dgram").createSocket("udp4");
    socket.once("error", (error) => (console.log(error.code), process.exit()));
    socket.bind({ address: "127.0.0.1", port: ${port}, exclusive: true }, () => (console.log("free"), process.exit()));`;
  const elsewhere = () =>
    Bun.spawnSync([...commandOf("bun"), "-e", script])
      .stdout.toString()
      .trim();
  expect(elsewhere()).toBe("EADDRINUSE");
  release();
  expect(elsewhere()).toBe("free");
});

test("whether somebody listens is told apart", async () => {
  const server = createServer();
  const { numbers, release } = await reservePorts(1);
  const port = numbers[0] ?? 0;
  expect(await accepts(port)).toBe(false);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  expect(await accepts(port)).toBe(true);
  server.close();
  release();
});
