/** A run for cleanup.test.ts that goes wrong: starts a server, says where, and then fails or waits to be ended. */
import { ServerProcess } from "./server-process.ts";
import { tempFolder } from "./volumes.ts";

const folder = tempFolder();
const server = await ServerProcess.start({ dataDir: `${folder.path}/data` });
process.stdout.write(`${JSON.stringify({ pid: server.child.pid, folder: folder.path })}\n`);
if (process.argv[2] === "throw") throw new Error("on purpose");
await server.exited;
