/** Bodies, parameters and answers of accounts, shops and server keys. */
import { z } from "zod";
import { permissions, roles } from "../../domain/access.ts";
import { banReasonLengthMax, displayNameLengthMax, usernameLengthMax, usernameLengthMin } from "../../domain/account.ts";
import { parseAccountId, parseKeyId, parseSessionId } from "../../domain/ids.ts";
import { merchantNameLengthMax } from "../../domain/merchant.ts";
import { passwordLengthMax, passwordLengthMin } from "../../domain/password.ts";
import { keyLifetimeMaxMs, keyNameLengthMax, keyOverlapMaxMs } from "../../domain/server-key.ts";
import { id, instantText } from "./answers.ts";
import { exampleOf, named, shown, told } from "./described.ts";
import { idOf, integer, labelOf, text } from "./fields.ts";
import { pagedQuery } from "./paging.ts";

const now = "2030-01-31T12:00:00.000Z";
const later = "2030-01-31T12:10:00.000Z";
const exampleId = "7421690423771136";
const examplePassword = "kettle under the moon";

const newUsername = told(text, {
  description: "Letters and digits of any script, and . _ @ + -; compared without case.",
  minLength: usernameLengthMin,
  maxLength: usernameLengthMax,
});
const newPassword = told(text, {
  description: "Long, without the username, and none that guessers try first; nothing else is asked of it.",
  minLength: passwordLengthMin,
  maxLength: passwordLengthMax,
});
const displayName = labelOf(displayNameLengthMax);
const code = told(text, {
  description: "Six digits of an authenticator app, or a recovery code, where the account has a second factor.",
}).optional();
const shopId = told(text, { pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" });

export const registerBody = named(
  "Registration",
  z.strictObject({ username: newUsername, password: newPassword, display_name: displayName.optional() }),
  { username: "ann", password: examplePassword },
);
const inCookie = told(z.boolean(), {
  description: "Whether the refresh token is to come in a cookie that scripts cannot read, instead of in the answer.",
});
export const logInBody = named("LogIn", z.strictObject({ username: text, password: text, code, cookie: inCookie.default(false) }), {
  username: "ann",
  password: examplePassword,
});
const exampleRefresh = `dbr_${exampleId}.LJnB25eAdLSKbeEeNrznPRzidtm8lTSvckIz4_GEap4.6KZVXENowHrK9ZjcsTBdTw`;
export const refreshBody = named("Refresh", z.strictObject({ refresh_token: text.optional() }), { refresh_token: exampleRefresh });
export const logOutBody = named("LogOut", z.strictObject({ refresh_token: text.optional(), all: z.boolean().default(false) }), {
  all: false,
});
export const exchangeBody = named("Exchange", z.strictObject({ token: z.string().max(16_384) }), {
  token: "eyJhbGciOiJFUzI1NiJ9.e30.c2ln",
});

export const proofBody = named("Proof", z.strictObject({ password: text, code }), { password: examplePassword, code: "123456" });
export const profileBody = named("ProfileChange", z.strictObject({ display_name: displayName.nullable() }), { display_name: "Ann" });
export const passwordBody = named("PasswordChange", z.strictObject({ password: text, code, new_password: newPassword }), {
  password: examplePassword,
  new_password: "seven lemons in a row",
});
export const confirmBody = named("TotpConfirmation", z.strictObject({ code: text }), { code: "123456" });
export const sessionParams = z.object({ session_id: idOf(parseSessionId) });

export const accountParams = z.object({ account_id: idOf(parseAccountId) });
export const accountsQuery = pagedQuery({
  role: z.enum(roles).optional(),
  banned: z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .optional(),
  username: text.optional(),
});
const place = { role: z.enum(roles), merchant: told(shopId, { description: "The shop of a merchant; nobody else has one." }).optional() };
export const staffBody = named(
  "NewAccount",
  z.strictObject({ username: newUsername, password: newPassword, display_name: displayName.optional(), ...place }),
  { username: "olga", password: examplePassword, role: "operator" },
);
export const roleBody = named("RoleChange", z.strictObject(place), { role: "merchant", merchant: "shop" });
export const banBody = named("NewBan", z.strictObject({ reason: labelOf(banReasonLengthMax) }), {
  reason: "Sells what it buys",
});

const merchantName = labelOf(merchantNameLengthMax);
export const merchantParams = z.object({ merchant: shopId });
export const merchantBody = named("NewMerchant", z.strictObject({ id: shopId, name: merchantName }), { id: "lamps", name: "Lamps & more" });
export const merchantNameBody = named("MerchantChange", z.strictObject({ name: merchantName }), { name: "Lamps" });

export const keyIdParams = z.object({ key_id: idOf(parseKeyId) });
const scopes = z.array(z.enum(permissions)).max(permissions.length);
export const serverKeyBody = named(
  "NewServerKey",
  z.strictObject({
    name: labelOf(keyNameLengthMax),
    scopes: told(scopes, { description: "What the key may do: the caller's own rights at most, save buyers:act." }),
    expires_in_seconds: told(integer, { minimum: 60, maximum: keyLifetimeMaxMs / 1000 }).optional(),
    merchant: shopId.optional(),
  }),
  { name: "till", scopes: ["buyers:act", "orders:read"], expires_in_seconds: 7_776_000 },
);
const overlap = told(integer, { description: "How long the old key goes on.", minimum: 0, maximum: keyOverlapMaxMs / 1000 });
export const rotateKeyBody = named("KeyRotation", z.strictObject({ overlap_seconds: overlap.optional() }), { overlap_seconds: 3_600 });

const account = {
  id,
  username: z.string(),
  display_name: z.string().nullable(),
  role: z.enum(roles),
  merchant: z.string().nullable(),
  totp: told(z.boolean(), { description: "Whether it has a second factor." }),
  created_at: instantText,
};
const accountExample = {
  id: exampleId,
  username: "ann",
  display_name: "Ann",
  role: "buyer",
  merchant: null,
  totp: false,
  created_at: now,
} as const;
export const accountAnswer = named("Account", z.strictObject(account), accountExample);
const banned = z.strictObject({ at: instantText, reason: z.string() }).nullable();
export const accountForStaffAnswer = named("AccountForStaff", z.strictObject({ ...account, banned }), { ...accountExample, banned: null });

const bearer = { token: z.string(), token_type: z.literal("Bearer"), expires_at: instantText };
const bearerExample = { token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", token_type: "Bearer", expires_at: later } as const;
export const grantAnswer = named(
  "SignedIn",
  z.strictObject({
    ...bearer,
    refresh_token: told(z.string().nullable(), { description: "Null where it came in a cookie." }),
    session_id: id,
    totp_required: told(z.boolean(), { description: "The role asks for a second factor; until there is one the token is a buyer's." }),
    account: accountAnswer,
  }),
  { ...bearerExample, refresh_token: exampleRefresh, session_id: exampleId, totp_required: false, account: exampleOf(accountAnswer) },
);
export const exchangeAnswer = named("ExchangedToken", z.strictObject(bearer), bearerExample);
export const loggedOutAnswer = named("LoggedOut", z.strictObject({ sessions_ended: z.int().nonnegative() }), { sessions_ended: 1 });
export const doneAnswer = shown(z.strictObject({}), {});
export const enrolAnswer = named("TotpSecret", z.strictObject({ secret: z.string(), uri: z.string() }), {
  secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
  uri: "otpauth://totp/Doorbuster:ann?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Doorbuster",
});
export const confirmAnswer = named("RecoveryCodes", z.strictObject({ recovery_codes: z.array(z.string()) }), {
  recovery_codes: ["4v9k-0qzt-7hbn-2m5x"],
});
const session = z.strictObject({ id, created_at: instantText, last_used_at: instantText, expires_at: instantText, current: z.boolean() });
export const sessionsAnswer = named("Sessions", z.strictObject({ items: z.array(session) }), {
  items: [{ id: exampleId, created_at: now, last_used_at: now, expires_at: "2030-02-14T12:00:00.000Z", current: true }],
});

export const merchantAnswer = named("Merchant", z.strictObject({ id: z.string(), name: z.string(), created_at: instantText }), {
  id: "lamps",
  name: "Lamps & more",
  created_at: now,
});
export const merchantsAnswer = named("Merchants", z.strictObject({ items: z.array(merchantAnswer) }), {
  items: [exampleOf(merchantAnswer)],
});

const serverKey = {
  id,
  merchant: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(permissions)),
  prefix: told(z.string(), { description: "The key's first characters, to tell keys apart." }),
  created_at: instantText,
  expires_at: instantText.nullable(),
  revoked_at: instantText.nullable(),
  last_used_on: z.iso.date().nullable(),
};
export const serverKeyAnswer = named("ServerKey", z.strictObject(serverKey), {
  id: exampleId,
  merchant: "shop",
  name: "till",
  scopes: ["buyers:act", "orders:read"],
  prefix: "dbk_Ab3d",
  created_at: now,
  expires_at: null,
  revoked_at: null,
  last_used_on: "2030-01-31",
});
const secret = told(z.string(), { description: "The key itself, shown this once." });
export const newServerKeyAnswer = named("MadeServerKey", z.strictObject({ ...serverKey, key: secret }), {
  ...exampleOf(serverKeyAnswer),
  key: "dbk_Ab3dLJnB25eAdLSKbeEeNrznPRzidtm8lTSvckIz4_G",
});
export const serverKeysAnswer = named("ServerKeys", z.strictObject({ items: z.array(serverKeyAnswer) }), {
  items: [exampleOf(serverKeyAnswer)],
});
