import { expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { controlGroup } from "./control-group.ts";
import { memoryFacts, processFacts } from "./process-facts.ts";

const reader = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

test("limits are read as the kernel writes them", () => {
  const limits = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 524288               files
`;
  expect(processFacts(reader({ "/proc/self/limits": limits, "/proc/sys/net/core/somaxconn": "128" }))).toMatchObject({
    openFilesMax: 1_024,
    listenBacklogMax: 128,
    cores: availableParallelism(),
  });
  const unlimited = processFacts(reader({ "/proc/self/limits": limits.replace("1024  ", "unlimited") }));
  expect(unlimited.openFilesMax).toBe(Number.MAX_SAFE_INTEGER);
  expect(processFacts(reader({}))).toMatchObject({ openFilesMax: undefined, listenBacklogMax: undefined });
});

test("memory is what the machine has left, or the control group if that is less", () => {
  const meminfo =
    "MemTotal:        8000 kB\nMemFree:          100 kB\nMemAvailable:    6000 kB\nSwapTotal:       1000 kB\nSwapFree:         400 kB\n";
  expect(memoryFacts(reader({ "/proc/meminfo": meminfo }))).toEqual({
    totalBytes: 8_192_000,
    availableBytes: 6_144_000,
    limitBytes: undefined,
    swapTotalBytes: 1_024_000,
    swapUsedBytes: 614_400,
  });
  const limited = {
    "/proc/meminfo": meminfo,
    "/proc/self/cgroup": "0::/shop",
    "/sys/fs/cgroup/cgroup.controllers": "cpu memory",
    "/sys/fs/cgroup/shop/memory.max": "4096000",
    "/sys/fs/cgroup/shop/memory.current": "3000000",
    "/sys/fs/cgroup/shop/memory.stat": "anon 1\ninactive_file 500000\n",
  };
  expect(memoryFacts(reader(limited))).toMatchObject({ totalBytes: 4_096_000, availableBytes: 1_596_000, limitBytes: 4_096_000 });
});

test("of nested groups the tightest counts, and no limit is none", () => {
  const files = {
    "/proc/self/cgroup": "0::/a/b",
    "/sys/fs/cgroup/cgroup.controllers": "cpu memory",
    "/sys/fs/cgroup/a/memory.max": "1000",
    "/sys/fs/cgroup/a/memory.current": "400",
    "/sys/fs/cgroup/a/b/memory.max": "max",
    "/sys/fs/cgroup/a/cpu.max": "150000 100000",
    "/sys/fs/cgroup/a/b/cpu.max": "max 100000",
  };
  expect(controlGroup(reader(files))).toEqual({ memoryLimitBytes: 1_000, memoryUsedBytes: 400, cores: 1.5 });
  expect(controlGroup(reader({}))).toEqual({ memoryLimitBytes: undefined, memoryUsedBytes: undefined, cores: undefined });
});

test("the first version of control groups is read too", () => {
  const files = {
    "/proc/self/cgroup": "4:memory:/docker/1\n3:cpu:/docker/1\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2000",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes": "700",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
  };
  expect(controlGroup(reader(files))).toEqual({ memoryLimitBytes: 2_000, memoryUsedBytes: 700, cores: 0.5 });
  const unlimited = { "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1" };
  expect(controlGroup(reader({ ...files, ...unlimited }))).toMatchObject({ memoryLimitBytes: undefined, cores: undefined });
});
