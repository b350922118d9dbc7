/** Tests for left-engines.test.ts, which makes two files of them in one `bun test`: both share an engine, and leave it. */
import { expect, test } from "bun:test";
import { describeWithEngine } from "./describe-with-engine.ts";
import type { EngineProcess } from "./engine-process.ts";
import { processesIn } from "./processes.ts";

export function testSharing(): void {
  describeWithEngine("redis", "a shared engine", (engine) => {
    test("is there", async () => {
      // Shared without its means to be killed, which this looks behind.
      const { folder, pid } = engine() as unknown as EngineProcess;
      process.stdout.write(`${JSON.stringify({ folder, pid, url: await engine().database("words") })}\n`);
      expect(processesIn(folder)).toContain(pid);
    });
  });
}
