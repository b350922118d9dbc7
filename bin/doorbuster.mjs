#!/usr/bin/env node
/** The command `doorbuster`: finds the pinned runtime and runs the command line on it. See runtimes.mjs. */
import { join } from "node:path";
import { chooseRuntime, fail, packageDir, runInPlace } from "./runtimes.mjs";

const runtime = chooseRuntime();
if (runtime.error !== undefined) fail(runtime.error);
runInPlace(runtime.path, [...runtime.flags, join(packageDir, "src", "main.ts"), ...process.argv.slice(2)]);
