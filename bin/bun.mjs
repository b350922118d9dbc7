#!/usr/bin/env node
/** The pinned Bun itself, for npm scripts: `node bin/bun.mjs test`. Works also with install scripts off. */
import { chooseRuntime, fail, runInPlace } from "./runtimes.mjs";

const runtime = chooseRuntime("bun");
if (runtime.error !== undefined) fail(runtime.error);
runInPlace(runtime.path, [...runtime.flags, ...process.argv.slice(2)]);
