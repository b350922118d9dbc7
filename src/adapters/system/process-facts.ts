/** Limits and memory as this process meets them, which is as a server started the same way will. */
import { availableParallelism, freemem, totalmem } from "node:os";
import type { MemoryFacts, ProcessFacts } from "../../ports/machine-facts.ts";
import { controlGroup, readText, type ReadText } from "./control-group.ts";

const kib = 1_024;

export function processFacts(read: ReadText = readText): ProcessFacts {
  const { cores } = controlGroup(read);
  const backlog = read("/proc/sys/net/core/somaxconn");
  const { bun, node } = process.versions;
  return {
    openFilesMax: openFilesMax(read("/proc/self/limits")),
    listenBacklogMax: backlog === undefined ? undefined : Number(backlog),
    cores: Math.min(availableParallelism(), cores ?? Number.POSITIVE_INFINITY),
    runtime: bun === undefined ? { name: "Node", version: node } : { name: "Bun", version: bun },
  };
}

/** `Max open files            1024                 524288               files`: the first is the one in force. */
function openFilesMax(limits: string | undefined): number | undefined {
  const soft = /^Max open files\s+(\S+)/m.exec(limits ?? "")?.[1];
  if (soft === undefined) return undefined;
  return soft === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(soft);
}

export function memoryFacts(read: ReadText = readText): MemoryFacts {
  const info = read("/proc/meminfo");
  const line = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(info ?? "")?.[1];
    return found === undefined ? undefined : Number(found) * kib;
  };
  const { memoryLimitBytes, memoryUsedBytes } = controlGroup(read);
  const left = memoryLimitBytes === undefined ? Number.POSITIVE_INFINITY : Math.max(0, memoryLimitBytes - (memoryUsedBytes ?? 0));
  const swapTotalBytes = line("SwapTotal") ?? 0;
  return {
    totalBytes: Math.min(line("MemTotal") ?? totalmem(), memoryLimitBytes ?? Number.POSITIVE_INFINITY),
    availableBytes: Math.min(line("MemAvailable") ?? freemem(), left),
    limitBytes: memoryLimitBytes,
    swapTotalBytes,
    swapUsedBytes: swapTotalBytes - (line("SwapFree") ?? swapTotalBytes),
  };
}
