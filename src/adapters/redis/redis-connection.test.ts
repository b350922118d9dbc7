import { expect, test } from "bun:test";
import { createClient } from "@redis/client";
import { clientOptions } from "./redis-connection.ts";

test("the client gives up what it could not write yet when the call is given up, not by a bound of its own", () => {
  const options = clientOptions({ url: "redis://127.0.0.1:1", name: "test", callTimeoutMs: 30_000 }, { againAfterMs: () => false });
  expect(options.commandOptions).toEqual({ timeout: 30_000 });
  // The bound that it has otherwise, should a later version name it differently.
  const kept = createClient(options) as unknown as { _commandOptions?: { timeout?: number } };
  expect(kept._commandOptions?.timeout).toBe(30_000);
});
