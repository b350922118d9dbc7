/**
 * What `doorbuster doctor` learns about the machine and the configuration. Plain measurements: what they mean is judged
 * in engine/doctor. Undefined: this machine does not tell.
 */

/** The folder of the database, or the nearest one above it that exists. */
export type DiskFacts = {
  readonly folder: string;
  /** Its type as the kernel names it: ext4, tmpfs, nfs4 … */
  readonly fileSystem: string | undefined;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Undefined where the file system counts none. */
  readonly freeFiles: number | undefined;
  /** Undefined when nothing could be written there. */
  readonly sync: SyncTimes | undefined;
};

/** One page written and synced, again and again: what a commit waits for. */
export type SyncTimes = { readonly writes: number; readonly medianMs: number; readonly p99Ms: number; readonly maxMs: number };

export type FolderFacts = {
  readonly path: string;
  readonly state: "folder" | "absent" | "not-a-folder";
  /** Permission bits, of a folder that is there. */
  readonly mode: number | undefined;
  /** What writing a file there, or making the folder, said; undefined if it works. */
  readonly writeProblem: string | undefined;
};

/** A file that holds a secret, and who named it. */
export type SecretFileFacts = {
  readonly path: string;
  readonly source: string;
  readonly state: "readable" | "absent" | "unreadable";
  readonly mode: number | undefined;
  /** Of its text without the end of the line. */
  readonly length: number | undefined;
};

export type ClockFacts = {
  readonly wallMs: number;
  /** The same for people. */
  readonly wallText: string;
  /** How far the wall went from the monotonic clock while doctor measured, and for how long that was. */
  readonly driftMs: number;
  readonly overMs: number;
  readonly synchronised: boolean | undefined;
};

export type ProcessFacts = {
  /** What the limit is for this process, and so for a server started the same way. */
  readonly openFilesMax: number | undefined;
  readonly listenBacklogMax: number | undefined;
  /** Cores that a quota leaves; may be a fraction. */
  readonly cores: number;
  readonly runtime: { readonly name: "Bun" | "Node"; readonly version: string };
};

export type MemoryFacts = {
  readonly totalBytes: number;
  /** For a new process: what the machine has left, and what the limit of the control group leaves. */
  readonly availableBytes: number;
  readonly limitBytes: number | undefined;
  readonly swapTotalBytes: number;
  readonly swapUsedBytes: number;
};

/** A port that the server is to listen on. */
export type PortFacts = {
  readonly host: string;
  readonly port: number;
  readonly state:
    | { readonly kind: "free" }
    /** A Doorbuster answers there. */
    | {
        readonly kind: "ours";
        readonly version: string | undefined;
        readonly environment: string | undefined;
        readonly skewMs: number | undefined;
      }
    | { readonly kind: "taken" }
    | { readonly kind: "refused"; readonly code: string };
};

/** Where log lines go; undefined: to the standard streams. */
export type LogFacts = { readonly file: string | undefined; readonly obstacle: LogObstacle | undefined };
/** What keeps a server from appending to its log file, making it or rolling it over, and at which path. */
export type LogObstacle = { readonly at: "file" | "folder" | "no-file"; readonly path: string; readonly problem: string };
