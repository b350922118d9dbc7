/**
 * What `doorbuster doctor` learns of the database server that processes share. It is read over a connection like theirs and
 * changes nothing; what it means is judged in engine/doctor. Undefined: this server has no such thing, or does not tell.
 */
export type ServerFacts = ServerRefusal | ServerSeen;

/** Who was asked, as statements and people name it; without the password. */
export type ServerAddress = {
  readonly name: string;
  readonly family: "mysql" | "postgres";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
};

/** It was asked, and nobody looked further. */
export type ServerRefusal = {
  readonly kind: "refused";
  readonly address: ServerAddress;
  readonly reason: RefusalReason;
  readonly said: string;
};
export type RefusalReason =
  | "no-such-host"
  | "unreachable"
  | "silent"
  | "not-ready"
  | "full"
  | "not-let-in"
  | "no-database"
  /** An encrypted connection was asked for and could not be made, or a plain one is not taken. */
  | "transport"
  | "other";

export type ServerSeen = {
  readonly kind: "seen";
  readonly address: ServerAddress;
  readonly product: ServerProduct;
  readonly roundTrip: RoundTrip;
  readonly rights: ServerRights;
  readonly schema: ServerSchema;
  /** Servers that all take writes for the same rows. */
  readonly cluster: ServerCluster | undefined;
  /** Names of what keeps us from writing: settings, or being a standby. */
  readonly readOnly: readonly string[];
  readonly durability: InnodbDurability | PostgresDurability;
  readonly isolation: { readonly level: string; readonly snapshot: boolean | undefined };
  readonly characters: ServerCharacters;
  readonly connections: ServerConnections;
  readonly locks: ServerLocks;
  /** The largest statement that our sessions may send. */
  readonly packetBytesMax: number | undefined;
  readonly transport: ServerTransport;
  readonly clock: ServerClock;
  /** Undefined while there is no table of them. */
  readonly processes: readonly ProcessSeen[] | undefined;
  /** What is kept for queued mode; undefined while there are no tables of it. */
  readonly queue: QueueTables | undefined;
};

export type RoundTrip = { readonly asked: number; readonly medianMs: number; readonly maxMs: number };

export type ServerProduct = {
  /** Undefined for one that only speaks their language. */
  readonly name: "MariaDB" | "MySQL" | "PostgreSQL" | undefined;
  readonly version: string;
  /** In its own words. */
  readonly text: string;
};

export type ServerRights = {
  /** Our user as the server knows it, quoted for a statement. */
  readonly account: string;
  /** Where our tables are; undefined where the search path leads nowhere. */
  readonly place: string | undefined;
  /** What it may not do there, in the words of GRANT. */
  readonly lacking: readonly string[];
  /** Tables of ours that it may not read and write, and tables that are another's, so that it may not alter them. */
  readonly closedTables: readonly string[];
  readonly foreignTables: readonly string[];
};

export type ServerSchema =
  | { readonly kind: "absent" }
  /** We may not look, or the table of migrations is none of ours. */
  | { readonly kind: "unreadable"; readonly problem: string }
  | {
      readonly kind: "read";
      readonly newest: number;
      /** The newest that this program knows, and what a program has to know to go on beside it. */
      readonly known: number;
      readonly needed: number;
      readonly missingTables: readonly string[];
    };

export type ServerCluster = {
  readonly kind: "Galera" | "group replication";
  readonly nodes: number | undefined;
  /** More than one takes writes; a cluster of one node does not, yet. */
  readonly severalWrite: boolean;
};

export type InnodbDurability = {
  readonly kind: "innodb";
  readonly flushAtCommit: string;
  /** Undefined: it writes none. */
  readonly binaryLogSync: number | undefined;
  readonly doublewrite: string | undefined;
  readonly flushMethod: string | undefined;
  readonly redoLog: boolean | undefined;
};

export type PostgresDurability = {
  readonly kind: "postgres";
  readonly fsync: boolean;
  /** In sessions like ours, which ask for "on", and in sessions that ask for nothing. */
  readonly synchronousCommit: { readonly ours: string; readonly byDefault: string | undefined };
  readonly fullPageWrites: boolean;
  readonly walSyncMethod: string;
  readonly platform: "darwin" | "windows" | "other";
};

export type ServerCharacters = {
  readonly wanted: string;
  /** By the setting's name. */
  readonly found: Readonly<Record<string, string>>;
  /** By which our texts compare; undefined where every server has it. */
  readonly collation: { readonly wanted: string; readonly isThere: boolean } | undefined;
  readonly otherTables: readonly string[];
};

export type ServerConnections = {
  /** For users without special rights, and for our user alone. */
  readonly max: number;
  readonly userMax: number | undefined;
  readonly inUse: number;
};

export type ServerLocks = {
  readonly deadlocksFound: boolean;
  /** How long a transaction waits before it is looked for a deadlock. */
  readonly deadlockAfterMs: number;
  /** How long our sessions' statements wait for a lock; 0 for ever. */
  readonly waitMs: number;
};

export type ServerTransport = {
  /** This machine's own loopback, or a socket. */
  readonly isLocal: boolean;
  readonly cipher: string | undefined;
  readonly isVerified: boolean;
};

export type ClockSeen = {
  /** The server's time minus this machine's, right within the uncertainty. */
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
};

export type ServerClock = ClockSeen & {
  /** It stands still during a statement. */
  readonly isFrozen: boolean;
};

export type ProcessSeen = {
  readonly number: number;
  readonly name: string;
  readonly roles: string;
  readonly version: string;
  readonly startedAtMs: number;
  /** Equal for processes whose secrets are, and telling nothing of them. */
  readonly secrets: string;
};

/** What a cache that decides is opened by, and what could not be settled. */
export type QueueTables = {
  /** The largest partition of a sale that is not over; undefined where there is none. */
  readonly partitionMax: number | undefined;
  /** Scopes whose sales cannot be bought from just now, and did not move while they were watched. */
  readonly stuck: readonly StuckScope[];
  /** Purchases and messages that were put aside. */
  readonly deadLetters: Waiting;
  /** Accepted purchases that failed to settle and are tried again. */
  readonly failedLines: Waiting;
};

export type StuckScope = {
  readonly id: string;
  /** It waits for end marks of processes, or to be loaded into the cache. */
  readonly state: "closing" | "opening";
  readonly watchedMs: number;
  /** Living processes that have not sent their mark. */
  readonly owing: readonly { readonly number: number; readonly name: string }[];
};

export type Waiting = {
  readonly count: number;
  readonly oldestAtMs: number | undefined;
  /** What is said of the newest. */
  readonly problem: string | undefined;
};
