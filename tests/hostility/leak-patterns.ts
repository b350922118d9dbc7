/** What an error must not show of our insides. The fuzz sends nothing that looks like any of it, so a hit is ours. */
const patterns: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a stack frame", /\bat (?:async )?[\w$.<>[\] ]+ \(|\bat (?:file:|node:|\/)|\.(?:ts|js|mjs):\d+/],
  ["a package", /node_modules|better-sqlite3|\bkysely\b|\bhono\b/i],
  ["SQL", /\b(?:SELECT\s|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|PRAGMA|BEGIN IMMEDIATE)/],
  [
    "the database's words",
    /SQLITE|UNIQUE constraint|FOREIGN KEY constraint|no such (?:table|column)|near ".*": syntax|database is locked|disk I\/O error/i,
  ],
  ["a path", /(?:^|[\s"'(=])\/(?:home|root|tmp|usr|opt|proc|srv|work|app|data|Users)\/\w|[A-Z]:\\\w|file:\/\/|\bsrc\/\w+\//],
  [
    "a class",
    /\b(?:Type|Range|Syntax|Reference|Zod|Sqlite|Assertion)Error\b|StoreUnavailable|MemoryStore|\bErrno\b|\bENO[A-Z]{2,}\b|\bE(?:ACCES|PERM|CONNRE\w+|PIPE)\b/,
  ],
  [
    "a runtime's words",
    /\[object \w+\]|\bundefined\b|\bNaN\b|is not a function|Cannot read propert|\[native code\]|Unexpected token|JSON\.parse|prototype chain/,
  ],
];

/** What an answer's text shows, if anything. */
export function leaksIn(text: string): string[] {
  return patterns.flatMap(([what, pattern]) => {
    const found = pattern.exec(text);
    return found === null ? [] : [`${what}: ${text.slice(Math.max(0, found.index - 40), found.index + 60)}`];
  });
}
