/** The real server with a planted bug: on SIGUSR2 a promise is rejected that nobody waits for. */
process.on("SIGUSR2", () => {
  void Promise.resolve().then(() => {
    throw new Error("planted: nobody waits for it");
  });
});
await import("../../src/main.ts");
