/** The data folder and the disk under it. Every yes waits for this disk: it decides how fast the shop answers, and what survives. */
import type { DiskFacts, FolderFacts } from "../../ports/machine-facts.ts";
import { bytesText, countText, millisecondsText, ok, problem, warning, type Check } from "./finding.ts";

export const freeBytesMin = 256_000_000;
export const freeBytesWanted = 2_000_000_000;
export const freeFilesMin = 1_000;
/** An idle server answers a purchase after one sync. */
export const syncMedianWantedMs = 20;
export const syncP99WantedMs = 250;
/** A fifth of the patience that answers have by default. */
export const syncP99MaxMs = 1_000;
/** No disk is this fast; memory is, and so is a layer that only says it has synced. */
export const syncMedianCredibleMs = 0.015;

const worldBits = 0o077;
const volatileSystems = new Set(["tmpfs", "ramfs", "devtmpfs"]);
const networkSystems = /^(nfs|nfs4|cifs|smb3?|smbfs|9p|ceph|glusterfs|lustre|afs|fuse\.(sshfs|s3fs|gcsfuse|rclone|glusterfs))$/;
const layeredSystems = new Set(["overlay", "aufs", "fuse.fuse-overlayfs", "unionfs"]);
const moveIt = "Point DOORBUSTER_DATA_DIR (or --data-dir) at a folder on a local disk, such as ext4 or xfs";

export const folderChecks: readonly Check<FolderFacts>[] = [
  {
    id: "data-folder",
    why: "What a server makes for itself is written there: secrets, and in embedded mode the database; without it nothing starts",
    judge({ path, state, writeProblem }) {
      if (state === "not-a-folder")
        return problem(`"${path}" is not a folder`, "Remove it, or name another folder with DOORBUSTER_DATA_DIR");
      if (writeProblem !== undefined) {
        const act = state === "absent" ? "made" : "written to";
        if (writeProblem === "ENOTDIR")
          return problem(`"${path}" cannot be made: no folder is where it should lie`, "Name another folder with DOORBUSTER_DATA_DIR");
        return problem(`"${path}" cannot be ${act} (${writeProblem})`, `sudo install -d -m 700 -o "$(id -un)" "${path}"`);
      }
      return ok(state === "absent" ? `"${path}" is not there yet and will be made` : `"${path}" can be written to`);
    },
  },
  {
    id: "data-folder-mode",
    why: "It holds the secrets that sign buyers' tokens, and in embedded mode their orders",
    judge({ path, state, mode }) {
      if (state !== "folder" || mode === undefined) return undefined;
      const bits = mode.toString(8).padStart(3, "0");
      if ((mode & worldBits) === 0) return ok(`only its owner may look into it (${bits})`);
      return warning(`other users of this machine may look into it (${bits})`, `chmod 700 "${path}"`);
    },
  },
];

export const diskChecks: readonly Check<DiskFacts>[] = [
  {
    id: "disk-space",
    why: "A full disk stops sales: purchases answer 503 until there is room again",
    judge({ folder, freeBytes, totalBytes }) {
      const found = `${bytesText(freeBytes)} of ${bytesText(totalBytes)} are free`;
      const measured = { value: freeBytes, unit: "bytes" };
      const fix = `Make room; this shows what takes it: du -xh "${folder}" | sort -h | tail`;
      if (freeBytes < freeBytesMin) return problem(`${found}, at least ${bytesText(freeBytesMin)} are needed`, fix, measured);
      if (freeBytes < freeBytesWanted) return warning(`${found}, ${bytesText(freeBytesWanted)} are a good start`, fix, measured);
      return ok(found, measured);
    },
  },
  {
    id: "disk-files",
    why: "Without free inodes no file can be made, however much space is left",
    judge({ folder, freeFiles }) {
      if (freeFiles === undefined) return undefined;
      const measured = { value: freeFiles, unit: "files" };
      if (freeFiles >= freeFilesMin) return ok(`${countText(freeFiles)} more files may be made`, measured);
      return problem(
        `only ${countText(freeFiles)} more files may be made`,
        `Remove small files; this counts them: du --inodes -x "${folder}"`,
        measured,
      );
    },
  },
  {
    id: "file-system",
    why: "A yes is a promise only if what was synced is still there after a power cut",
    judge({ fileSystem }) {
      if (fileSystem === undefined) return undefined;
      if (volatileSystems.has(fileSystem)) return warning(`${fileSystem}: all of it is lost with the power`, moveIt);
      if (networkSystems.test(fileSystem))
        return warning(`${fileSystem}: SQLite's write-ahead log is not made for network file systems`, moveIt);
      if (layeredSystems.has(fileSystem))
        return warning(
          `${fileSystem}: a container's own layer, lost when the container is removed`,
          "Mount a volume there: docker run -v doorbuster:/var/lib/doorbuster …",
        );
      return ok(fileSystem);
    },
  },
  {
    id: "disk-sync",
    why: "Every yes is synced to disk before it is said; all purchases that arrive during one sync share the next",
    judge({ sync, fileSystem }) {
      if (sync === undefined)
        return warning("not measured, for nothing could be written there", "Make the folder writable first; see data-folder");
      const { writes, medianMs, p99Ms } = sync;
      const perSecond = Math.round(1000 / Math.max(medianMs, 0.001));
      const found = `${millisecondsText(medianMs)} median, ${millisecondsText(p99Ms)} p99 (${writes} × 4 KiB written and synced), about ${countText(perSecond)} commits/s`;
      const measured = { value: medianMs, unit: "ms" };
      const fix = "Use a local SSD, or one with power-loss protection; see what else writes: iostat -x 1";
      if (p99Ms > syncP99MaxMs) return problem(`${found}; buyers will wait and time out`, fix, measured);
      if (p99Ms > syncP99WantedMs || medianMs > syncMedianWantedMs) return warning(`${found}; this is slow`, fix, measured);
      if (medianMs < syncMedianCredibleMs && !volatileSystems.has(fileSystem ?? ""))
        return warning(
          `${found}; no disk is this fast, so something only says it has synced`,
          "Ask whoever runs the storage whether it honours flushes (a VM's cache=unsafe does not)",
          measured,
        );
      return ok(found, measured);
    },
  },
];
