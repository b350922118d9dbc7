/** `npm run fix`: what a machine can mend. Lint first, since its fixes are formatted afterwards. */
import { runStep, tool } from "./steps.ts";

const lint = await runStep({ name: "lint --fix", command: tool("oxlint", "--type-aware", "--fix") });
const format = await runStep({ name: "format", command: tool("oxfmt") });
process.exit(lint.ok && format.ok ? 0 : 1);
