export type BannerFacts = {
  readonly url: string;
  readonly dataDir: string;
  /** The demo key, when that is the one in use; a key of the operator's own is never shown. */
  readonly apiKey: string | undefined;
  readonly saleId: string;
};

/** What a newcomer sees first: where it runs, its pages, the demo key and three commands to try. */
export function banner({ url, dataDir, apiKey, saleId }: BannerFacts): string {
  const key = apiKey ?? "$DOORBUSTER_API_KEY";
  return `
  Doorbuster is ready at ${url}   (development: loopback callers are trusted on the seeds' paths)
  Data in ${dataDir} · demo key ${apiKey ?? "not in use, your own is"}

  Open ${url} in a browser to buy something.

  Or try:
    curl ${url}/api/v1/sales

    curl -X POST ${url}/api/v1/sales/${saleId}/purchases -H 'X-API-Key: ${key}' \\
      -H 'X-User-Id: alice' -H 'Idempotency-Key: first' -H 'Content-Type: application/json' -d '{"quantity":1}'

    npx doorbuster verify --data-dir ${dataDir}

`;
}
