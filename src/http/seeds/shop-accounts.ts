/** Accounts as one of the seeds has them: the canonical routes under its paths. */
import { assert } from "../../lib/assert.ts";
import type { Contract, Route } from "../route.ts";
import { ownAccountRoutes } from "../routes/account.ts";
import { authRoutes } from "../routes/auth.ts";
import { withMsg } from "./with-msg.ts";

export const shopAccountRoutes: readonly Route[] = [
  aliasOf(authRoutes, "register", { path: "/register", operation: "shopRegister" }),
  aliasOf(authRoutes, "logIn", { path: "/login", operation: "shopLogIn" }),
  aliasOf(ownAccountRoutes, "readOwnAccount", { path: "/profile", operation: "shopProfile" }),
].map(withMsg);

function aliasOf(routes: readonly Route[], operation: string, under: Pick<Contract, "path" | "operation">): Route {
  const route = routes.find(({ contract }) => contract.operation === operation);
  assert(route !== undefined, () => `the API has an operation "${operation}"`);
  return { ...route, contract: { ...route.contract, ...under, tag: "seeds" } };
}
