/**
 * Who asks on the seeds' paths. They put a buyer's id into bodies, paths and queries, where anybody could write anything;
 * so it counts only from a server key, when it is the token's own buyer, or in development from a caller on this machine,
 * who is let in as the configured shop's own server.
 *
 * Invariant: in production these doors let nobody in whom the canonical ones would not.
 */
import { mayDo, merchantPermissions, type Access, type Permission } from "../../domain/access.ts";
import type { Buyer, BuyerId } from "../../domain/ids.ts";
import type { Viewer } from "../../engine/orders.ts";
import { numberToRead } from "../context.ts";
import type { Reading } from "../contract/read.ts";
import { failure, type Reply } from "../envelope.ts";
import { callerOf, type Caller, type Staff } from "../identity.ts";
import { isLoopbackCaller } from "../loopback.ts";
import { barredFromActing, noBuyer, notAllowed, openly, type Answering, type Ask, type Asked } from "../route.ts";
import { staffOf, type Contract, type Door, type Route } from "../route.ts";

/** Somebody known: with a credential, or on this machine in development. */
export type Known = Exclude<Caller, { readonly kind: "nobody" }>;
type Asking = Pick<Ask, "context" | "request" | "peer" | "nowMs">;

/** For whoever holds the permission; the handler gets them as staff. */
export function forShop<const C extends Contract>(
  permission: Permission,
  contract: C,
  answer: (ask: Asked<C>, staff: Staff) => Answering,
): Route {
  return entered({ kind: "staff", permission }, contract, (ask, caller) => {
    const staff = staffOf(caller);
    return staff !== undefined && mayDo(staff.access, permission) ? answer(ask, staff) : notAllowed(caller);
  });
}

/** For a buyer, or whoever may name one; `namedBuyer` says whether this one may be named. */
export function forNamed<const C extends Contract>(contract: C, answer: (ask: Asked<C>, caller: Known) => Answering): Route {
  return entered({ kind: "buyer" }, contract, answer);
}

/** For buyers, who see their own, and those who hold the permission. */
export function forViewing<const C extends Contract>(
  permission: Permission,
  contract: C,
  answer: (ask: Asked<C>, viewer: Viewer, caller: Known) => Answering,
): Route {
  return entered({ kind: "viewer", permission }, contract, async (ask, caller) => {
    const viewer = await viewerOf(ask, caller, permission);
    return viewer.kind === "reply" ? viewer.reply : answer(ask, viewer.value, caller);
  });
}

/** The door is opened before anything of the request is read. */
function entered<const C extends Contract>(door: Door, contract: C, answer: (ask: Asked<C>, caller: Known) => Answering): Route {
  return {
    contract,
    door,
    answer: (ask) => {
      const caller = seedCaller(ask);
      if (caller.kind === "reply") return caller.reply;
      return openly(contract, (asked) => answer(asked, caller)).answer(ask);
    },
  };
}

const loopbackPermissions: ReadonlySet<Permission> = new Set(merchantPermissions);

function seedCaller({ context: { deps }, request, peer, nowMs }: Asking): Known | { readonly kind: "reply"; readonly reply: Reply } {
  const caller = callerOf(deps, request.headers, nowMs);
  if (caller.kind !== "nobody") return caller;
  if (deps.options.environment !== "development" || !isLoopbackCaller(request, peer.address))
    return { kind: "reply", reply: failure("unauthenticated") };
  const access: Access = { merchant: deps.options.shop, permissions: loopbackPermissions };
  return { kind: "shop", key: { id: "loopback", issuer: deps.options.shop, access }, staff: { access, owner: "loopback" } };
}

/** The buyer's number where it is at hand, else its name: what asks for a number depends on what it is needed for. */
export type NamedBuyer = BuyerId | Buyer;

/** The buyer whom a body, path or query names, or the caller itself is; if the caller may speak for it. */
export function namedBuyer(caller: Known, userId: string | undefined): Reading<NamedBuyer> {
  const refused = (reply: Reply): Reading<NamedBuyer> => ({ kind: "reply", reply });
  if (caller.kind === "buyer")
    return userId === undefined || caller.buyer.subject === userId
      ? { kind: "value", value: caller.buyerId }
      : refused(failure("forbidden", { field: "user_id", problem: "must be the token's own buyer" }));
  const { actsFor, key } = caller;
  if (actsFor !== undefined && userId !== undefined && actsFor.subject !== userId)
    return refused(failure("malformed", { field: "user_id", problem: "must be the buyer that X-User-Id names" }));
  const subject = userId ?? actsFor?.subject;
  if (subject === undefined) return refused(noBuyer(true));
  const buyer = { issuer: key.issuer, subject };
  const barred = barredFromActing({ ...caller, actsFor: buyer });
  return barred === undefined ? { kind: "value", value: buyer } : refused(barred);
}

async function viewerOf(ask: Asking, caller: Known, permission: Permission): Promise<Reading<Viewer>> {
  const barred = barredFromActing(caller);
  if (barred !== undefined) return { kind: "reply", reply: barred };
  if (caller.kind === "shop" && caller.actsFor !== undefined)
    return { kind: "value", value: { buyerId: await numberToRead(ask.context, caller.actsFor) } };
  const staff = staffOf(caller);
  const access = staff !== undefined && mayDo(staff.access, permission) ? staff.access : undefined;
  const buyerId = caller.kind === "buyer" ? caller.buyerId : undefined;
  return buyerId === undefined && access === undefined
    ? { kind: "reply", reply: notAllowed(caller) }
    : { kind: "value", value: { buyerId, access } };
}

/** The id that the caller, or the buyer it acts for, has in its shop. */
export function subjectOf(caller: Known): string | undefined {
  return caller.kind === "buyer" ? caller.buyer.subject : caller.actsFor?.subject;
}
