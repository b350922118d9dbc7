/** How a caller says who it is, and which of these ways a door takes. */
import type { Door } from "../route.ts";
import { ticketCookie } from "../sse/doors.ts";
import type { JsonSchema } from "./json-schema.ts";

export const securitySchemes: Readonly<Record<string, JsonSchema>> = {
  ServerKey: {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "A key of the shop's own server, good for what its scopes name. Never beside Authorization.",
  },
  ActingFor: {
    type: "apiKey",
    in: "header",
    name: "X-User-Id",
    description: "Beside a server key with the scope buyers:act: the shop's own id of the buyer whom it acts for. Alone it means nothing.",
  },
  Bearer: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "An access token: of a buyer, minted for it by its shop, or of an account that logged in.",
  },
  EventTicket: {
    type: "apiKey",
    in: "cookie",
    name: ticketCookie,
    description: "For EventSource, which can send no headers: a ticket that opens the buyer's own stream and nothing else.",
  },
};

type Requirement = Readonly<Record<string, readonly string[]>>;
const nobody: Requirement = {};
const serverKey: Requirement = { ServerKey: [] };
const buyer: readonly Requirement[] = [{ Bearer: [] }, { ServerKey: [], ActingFor: [] }];

/** Any one of these opens the door. */
export function securityOf(door: Door): readonly Requirement[] {
  switch (door.kind) {
    case "anybody":
      return door.unasked ? [] : [nobody, { Bearer: [] }, serverKey];
    case "buyer":
      return door.byTicket ? [...buyer, { EventTicket: [] }] : buyer;
    case "account":
      return [{ Bearer: [] }];
    case "staff":
      return [serverKey, { Bearer: [] }];
    case "viewer":
      return [...buyer, serverKey];
  }
}

/** The right that a door asks for, in words. */
export function permissionOf(door: Door): string | undefined {
  if (door.kind === "account") return "For an account that has logged in.";
  if (door.kind === "staff") return `Needs the permission \`${door.permission}\`.`;
  return door.kind === "viewer" ? `Buyers see their own; others need the permission \`${door.permission}\`.` : undefined;
}
