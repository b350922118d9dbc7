/** `npm run fix`: what a machine can mend. Lint before format, since its fixes are formatted afterwards. */
import { join } from "node:path";
import { renderEnvExample } from "../src/config/env-example.ts";
import { cliPagePath, renderCliPage } from "./cli-page.ts";
import { completeLock, lockPath, sameLock, type LockFile } from "./lock-file.ts";
import { optionsPagePath, renderOptionsPage } from "./options-page.ts";
import { rootDir, runStep, tool } from "./steps.ts";

const lock: LockFile = await Bun.file(lockPath).json();
const complete = completeLock(lock);
if (!sameLock(lock, complete)) {
  await Bun.write(lockPath, `${JSON.stringify(complete, null, 2)}\n`);
  console.log("ok   package-lock.json completed");
}
await Bun.write(cliPagePath, renderCliPage());
await Bun.write(optionsPagePath, renderOptionsPage());
await Bun.write(join(rootDir, ".env.example"), renderEnvExample());
const lint = await runStep({ name: "lint --fix", command: tool("oxlint", "--type-aware", "--fix") });
const format = await runStep({ name: "format", command: tool("oxfmt") });
process.exit(lint.ok && format.ok ? 0 : 1);
