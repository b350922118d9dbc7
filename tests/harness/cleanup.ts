/**
 * What a test started and must not leave behind. Released by the test (last first), and again when this process ends,
 * so that a failing or interrupted run leaves no process, mount or folder.
 */
type Release = { readonly what: string; readonly now: () => void; done: boolean };

const releases: Release[] = [];

/** Registers a synchronous, repeatable release; gives a function that runs it at most once. */
export function onCleanup(what: string, now: () => void): () => void {
  const release: Release = { what, now, done: false };
  releases.push(release);
  return () => run(release);
}

function run(release: Release): void {
  if (release.done) return;
  release.done = true;
  releases.splice(releases.indexOf(release), 1);
  release.now();
}

/** Releases all that is left, last first; a release that throws does not stop the others. */
export function cleanUp(): void {
  for (const release of releases.toReversed()) {
    try {
      run(release);
    } catch (error) {
      process.stderr.write(`cleanup of ${release.what} failed: ${String(error)}\n`);
    }
  }
}

process.on("exit", cleanUp);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    cleanUp();
    process.exit(1);
  });
