/** Schemathesis from PyPI, in a virtual environment of this project's own, made when it is first needed. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rootDir } from "../harness/server-process.ts";

const version = "4.32.5";
const installMaxMs = 300_000;
const environment = join(rootDir, "node_modules", ".cache", `schemathesis-${version}`);
const program = join(environment, "bin", "schemathesis");

/** Its program, or why there is none. */
export async function schemathesis(): Promise<{ readonly program: string } | { readonly missing: string }> {
  if (existsSync(program)) return { program };
  const python = Bun.which("python3");
  if (python === null) return { missing: "python3 is not installed" };
  console.log(`Installing schemathesis ${version} from PyPI into node_modules/.cache (once, some 60 MB) …`);
  for (const command of [
    [python, "-m", "venv", environment],
    [join(environment, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", `schemathesis==${version}`],
  ]) {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "inherit", stderr: "inherit", timeout: installMaxMs });
    if ((await child.exited) === 0) continue;
    // Half an environment would be taken for a whole one.
    rmSync(environment, { recursive: true, force: true });
    return { missing: `"${command.join(" ")}" failed` };
  }
  return { program };
}
