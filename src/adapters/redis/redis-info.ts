/** What a Redis says of itself: INFO as names and texts. */
import type { RedisConnection } from "./redis-connection.ts";

export type RedisInfo = ReadonlyMap<string, string>;

/** Undefined where it is not told, or not now. */
export async function readInfo(connection: RedisConnection): Promise<RedisInfo | undefined> {
  const reply = await connection.ask(["INFO"]);
  return reply.kind === "ok" ? infoOf(String(reply.value)) : undefined;
}

export function infoOf(text: string): RedisInfo {
  const lines = [...text.matchAll(/^([a-z0-9_-]+):(.*?)\r?$/gim)];
  return new Map(lines.map(([, name = "", value = ""]) => [name, value]));
}

export const numberIn = (info: RedisInfo, name: string): number | undefined => {
  const text = info.get(name);
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
};
