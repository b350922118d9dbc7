/** What the processes of one installation have in common: its database, in queued mode its cache and its broker, and its secrets. */
export type Engines = {
  readonly databaseUrl: string;
  /** In queued mode. */
  readonly queue?: { readonly redisUrl: string; readonly brokerUrl: string } | undefined;
};

export function installationEnvironment({ databaseUrl, queue }: Engines): Record<string, string> {
  return {
    DOORBUSTER_MODE: queue === undefined ? "sql" : "queued",
    DOORBUSTER_DATABASE_URL: databaseUrl,
    ...(queue !== undefined && { DOORBUSTER_REDIS_URL: queue.redisUrl, DOORBUSTER_BROKER_URL: queue.brokerUrl }),
    DOORBUSTER_TOKEN_SECRET: "4f1c0a7be29d5368a1f3c2b4d5e6f708",
    DOORBUSTER_ACCOUNT_SECRET: "9b8a7c6d5e4f30211203f4e5d6c7b8a9",
    DOORBUSTER_ADMIN_PASSWORD: "first-sign-in-of-tests-0123456789",
  };
}

/** A process that works behind those that answer says to its operators when it is ready. */
export const workerEnvironment: Readonly<Record<string, string>> = { DOORBUSTER_ROLES: "worker", DOORBUSTER_METRICS_PORT: "0" };
export const apiEnvironment: Readonly<Record<string, string>> = { DOORBUSTER_ROLES: "api" };
