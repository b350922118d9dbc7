import { arch, cpus, platform, release, totalmem } from "node:os";

/** What the figures of a rehearsal were measured on: the machine that asked. */
export function describeMachine() {
  const processors = cpus();
  const bun = process.versions["bun"];
  return {
    runtime: bun === undefined ? `Node ${process.versions.node}` : `Bun ${bun}`,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memory_bytes: totalmem(),
  };
}
