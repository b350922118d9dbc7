/**
 * Loaded by bunfig.toml before the first test file: `bun test` ends without the event "exit", so what tests left is
 * released after the last one. A hook of a preloaded file runs once, not once per file.
 */
import { afterAll } from "bun:test";
import { cleanUp } from "./cleanup.ts";

/** Removing the data of several engines takes its time where others use the disk, and is no test that failed. */
const cleanUpMaxMs = 60_000;

afterAll(cleanUp, cleanUpMaxMs);
