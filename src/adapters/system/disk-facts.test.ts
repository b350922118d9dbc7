import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUp } from "../../../tests/harness/cleanup.ts";
import { tempFolder } from "../../../tests/harness/volumes.ts";
import { diskFacts, folderFacts, logObstacle, mountOf } from "./disk-facts.ts";

afterEach(cleanUp);

test("[H7] a disk is measured by writing and syncing, and the file is gone afterwards", async () => {
  const { path } = tempFolder();
  const { folder, freeBytes, totalBytes, sync } = await diskFacts(path);
  expect(folder).toBe(path);
  expect(freeBytes).toBeLessThanOrEqual(totalBytes);
  expect(sync?.writes).toBeGreaterThan(0);
  expect(sync?.medianMs).toBeGreaterThan(0);
  expect(sync?.p99Ms).toBeGreaterThanOrEqual(sync?.medianMs ?? Number.POSITIVE_INFINITY);
  expect(sync?.maxMs).toBeGreaterThanOrEqual(sync?.p99Ms ?? Number.POSITIVE_INFINITY);
  expect(readdirSync(path)).toEqual([]);
});

test("of a folder that is not there, the disk is measured on which it would be made", async () => {
  const { path } = tempFolder();
  const { folder, sync } = await diskFacts(join(path, "not", "there"));
  expect(folder).toBe(path);
  expect(sync?.writes).toBeGreaterThan(0);
});

test("folders are there, absent or something else", async () => {
  const { path } = tempFolder();
  mkdirSync(join(path, "folder"), { mode: 0o750 });
  writeFileSync(join(path, "file"), "");
  expect(await folderFacts(join(path, "folder"))).toMatchObject({ state: "folder", mode: 0o750, writeProblem: undefined });
  expect(await folderFacts(join(path, "absent"))).toMatchObject({ state: "absent", mode: undefined, writeProblem: undefined });
  expect(await folderFacts(join(path, "file"))).toMatchObject({ state: "not-a-folder" });
  expect(await folderFacts(join(path, "file", "below"))).toMatchObject({ state: "absent", writeProblem: "ENOTDIR" });
  expect(await folderFacts(join(path, "file", "far", "below"))).toMatchObject({ state: "absent", writeProblem: "ENOTDIR" });
  symlinkSync(join(path, "nowhere"), join(path, "link"));
  expect(await folderFacts(join(path, "link", "below"))).toMatchObject({ state: "absent", writeProblem: "ENOTDIR" });
  expect(readdirSync(join(path, "folder"))).toEqual([]);
});

test("a log file needs a folder that is there, and is none itself", async () => {
  const { path } = tempFolder();
  const rolls = { rollsOver: true };
  writeFileSync(join(path, "log"), "");
  expect(await logObstacle(join(path, "log"), rolls)).toBeUndefined();
  expect(await logObstacle(join(path, "new.log"), rolls)).toBeUndefined();
  expect(await logObstacle(path, rolls)).toEqual({ at: "no-file", path, problem: "a folder" });
  const absent = join(path, "absent");
  expect(await logObstacle(join(absent, "log"), rolls)).toEqual({ at: "folder", path: absent, problem: "ENOENT" });
  // A pipe or terminal is not rolled over, wherever it stands.
  expect(await logObstacle("/dev/null", rolls)).toBeUndefined();
  expect(readdirSync(path)).toEqual(["log"]);
});

const mounts = `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:26 / /mnt rw - tmpfs tmpfs rw,size=1024k
31 30 0:40 / /mnt/two\\040words rw - nfs4 server:/export rw
32 22 0:41 / /mnt rw - overlay overlay rw
`;
test.each([
  ["/data", "ext4"],
  ["/mnt", "overlay"],
  ["/mnt/a", "overlay"],
  ["/mntx", "ext4"],
  ["/mnt/two words/a", "nfs4"],
])("%s lies on %s: the longest mount point that holds it, the latest of equals", (folder, type) => {
  expect(mountOf(mounts, folder)).toBe(type);
});
