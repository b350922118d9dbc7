/**
 * Who may do what: the one table of roles and permissions. Whoever is not in it may not. A permission is also a scope
 * that a server key can have. What a buyer does with its own things needs none; what reaches beyond, one of these.
 */

/** The shop within an installation: seller of products and sales, holder of keys. Its id is its name in the API. */
export type MerchantId = string;

export const merchantIdPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const isMerchantId = (text: string): text is MerchantId => merchantIdPattern.test(text);

/** The issuer of our own accounts. No shop may have this id: its buyers would be ours. */
export const localIssuer = "local";

/** An account of ours buys everywhere, a shop's own buyer in its shop alone: elsewhere nobody vouches for it. */
export const mayBuyFrom = (seller: MerchantId, issuer: string): boolean => issuer === seller || issuer === localIssuer;

export const roles = ["buyer", "merchant", "operator", "auditor", "admin"] as const;
export type Role = (typeof roles)[number];
export const isRole = (text: string): text is Role => roles.some((role) => role === text);

export const permissions = [
  /** Name buyers: act for them, and mint tokens for them. */
  "buyers:act",
  "products:write",
  /** Sales that are not published, too. */
  "sales:read",
  "sales:write",
  /** Inventory, and units of a running sale. */
  "stock:write",
  "orders:read",
  /** Close orders, refund them, enter money that the shop took itself. */
  "orders:write",
  "exports:read",
  "keys:manage",
  "merchants:manage",
  "accounts:read",
  "accounts:ban",
  "accounts:manage",
  "system:read",
] as const;
export type Permission = (typeof permissions)[number];
export const isPermission = (text: string): text is Permission => permissions.some((permission) => permission === text);

/** What a merchant may do in its own shop, and the most that a server key may. */
export const merchantPermissions: readonly Permission[] = [
  "buyers:act",
  "products:write",
  "sales:read",
  "sales:write",
  "stock:write",
  "orders:read",
  "orders:write",
  "exports:read",
  "keys:manage",
];

const readsOnly: readonly Permission[] = ["sales:read", "orders:read", "exports:read", "accounts:read", "system:read"];
const runsSales: readonly Permission[] = ["products:write", "sales:write", "stock:write", "orders:write", "accounts:ban"];

export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  buyer: [],
  merchant: merchantPermissions.filter((permission) => permission !== "buyers:act"),
  operator: [...readsOnly, ...runsSales],
  auditor: readsOnly,
  // An admin runs the installation. It acts for no buyer: that is a server's business.
  admin: permissions.filter((permission) => permission !== "buyers:act"),
};

/** What somebody may do, and where. */
export type Access = {
  /** The shop it is bound to; undefined reaches them all. */
  readonly merchant: MerchantId | undefined;
  readonly permissions: ReadonlySet<Permission>;
};

export const mayDo = ({ permissions: held }: Access, permission: Permission): boolean => held.has(permission);
export const mayReach = ({ merchant }: Access, seller: MerchantId): boolean => merchant === undefined || merchant === seller;

const accessOfRoles = new Map<string, Access>();

/** A role's access: of a merchant in its own shop, of the others everywhere. Undefined for a merchant of no shop. */
export function accessOfRole(role: Role, merchant: MerchantId | undefined): Access | undefined {
  if (role === "merchant" && merchant === undefined) return undefined;
  const bound = role === "merchant" ? merchant : undefined;
  const name = `${role} ${bound ?? ""}`;
  const known = accessOfRoles.get(name);
  if (known !== undefined) return known;
  const access = { merchant: bound, permissions: new Set(rolePermissions[role]) };
  // As many as there are roles and shops; forgotten when that is more than is worth remembering.
  if (accessOfRoles.size >= rememberedMax) accessOfRoles.clear();
  accessOfRoles.set(name, access);
  return access;
}

const rememberedMax = 10_000;
