import { expect, test } from "bun:test";
import { accessOfRole, isPermission, mayDo, mayReach, merchantPermissions, permissions, rolePermissions, roles } from "./access.ts";

test("[E2] the table of roles: a buyer may nothing beyond its own, an auditor changes nothing, an admin acts for no buyer", () => {
  expect(rolePermissions.buyer).toEqual([]);
  expect(rolePermissions.auditor.every((permission) => permission.endsWith(":read"))).toBe(true);
  expect(permissions.filter((permission) => !rolePermissions.admin.includes(permission))).toEqual(["buyers:act"]);
  expect(rolePermissions.merchant.every((permission) => merchantPermissions.includes(permission))).toBe(true);
  expect(rolePermissions.operator).not.toContain("accounts:manage");
  for (const role of roles) expect(rolePermissions[role].every(isPermission)).toBe(true);
});

test("[E2] a merchant reaches its own shop, staff all of them, and a merchant of no shop none", () => {
  const own = accessOfRole("merchant", "tea");
  const staff = accessOfRole("operator", "tea");
  expect(own && [mayReach(own, "tea"), mayReach(own, "other"), mayDo(own, "sales:write")]).toEqual([true, false, true]);
  expect(staff && [mayReach(staff, "tea"), mayReach(staff, "other")]).toEqual([true, true]);
  expect(accessOfRole("merchant", undefined)).toBeUndefined();
  expect(accessOfRole("merchant", "tea")).toBe(own);
});
