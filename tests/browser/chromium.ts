/** The system's Chromium, with a font that has Chinese; installed like the engines of other tests where it is missing. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { decide, helpOf, type Decision, type EngineKind, type Facts } from "../harness/engines/availability.ts";
import { describeDecided } from "../harness/engines/describe-with-engine.ts";
import { findProgram } from "../harness/engines/programs.ts";

const packages = ["chromium", "fonts-wqy-microhei"];
const kind: EngineKind = {
  title: "Chromium",
  variable: "DOORBUSTER_TEST_CHROMIUM",
  programs: ["chromium"],
  debianPackage: packages.join(" "),
};
const fontFolder = "/usr/share/fonts/truetype/wqy";

/** A browser that the environment names, or the system's. */
const programOf = (): string | undefined => process.env[kind.variable] ?? findProgram("chromium");

function factsOf(installError?: string): Facts {
  const isComplete = process.env[kind.variable] !== undefined || (existsSync(fontFolder) && readdirSync(fontFolder).length > 0);
  return {
    isLinux: process.platform === "linux",
    hasPrograms: programOf() !== undefined && isComplete,
    mayInstall: process.getuid?.() === 0 && existsSync("/etc/debian_version") && findProgram("apt-get") !== undefined,
    installError,
    isCi: (process.env["CI"] ?? "") !== "" && process.env["CI"] !== "false",
  };
}

const installMaxMs = 300_000;

function decideHere(): Decision {
  const decision = decide(kind, "own", factsOf());
  if (decision.kind !== "install") return decision;
  process.stderr.write(`Chromium is missing, so apt-get installs "${packages.join(" ")}" now; this takes a minute\n`);
  const script = join(import.meta.dirname, "../harness/engines/install-packages.sh");
  const { status, stderr } = spawnSync("/bin/sh", [script, ...packages], { encoding: "utf8", timeout: installMaxMs });
  return decide(kind, "own", factsOf(status === 0 ? undefined : `apt-get ended with ${status}: ${stderr.trim().split("\n").at(-1) ?? ""}`));
}

/** Skipped loudly where there is no browser, and failing in CI. */
export function describeInBrowser(title: string, body: () => void): void {
  const decision = decideHere();
  if (decision.kind === "none" && !decision.fails)
    process.stderr.write(`SKIPPED: tests in Chromium: ${decision.reason}. ${helpOf(decision)}\n`);
  describeDecided(decision, title, body);
}

/** It reaches nothing but this machine, and is as small as it can be. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

export function openBrowser(): Promise<Browser> {
  const executablePath = programOf();
  if (executablePath === undefined) throw new Error("there is no Chromium");
  return chromium.launch({ executablePath, headless: true, args: flags, timeout: 60_000 });
}
