/** Bodies, parameters and answers of accounts, shops and server keys. */
import { z } from "zod";
import { permissions, roles } from "../../domain/access.ts";
import { parseAccountId, parseKeyId, parseSessionId } from "../../domain/ids.ts";
import { id, instantText } from "./answers.ts";
import { idOf, integer, text } from "./fields.ts";
import { pagedQuery } from "./paging.ts";

/** Of the app, or a recovery code. */
const code = text.optional();
const password = text;

export const registerBody = z.strictObject({ username: text, password, display_name: text.optional() });
/** `cookie`: the refresh token is to come in a cookie that scripts cannot read, instead of in the answer. */
export const logInBody = z.strictObject({ username: text, password, code, cookie: z.boolean().default(false) });
export const refreshBody = z.strictObject({ refresh_token: text.optional() });
export const logOutBody = z.strictObject({ refresh_token: text.optional(), all: z.boolean().default(false) });
export const exchangeBody = z.strictObject({ token: z.string().max(16_384) });

export const proofBody = z.strictObject({ password, code });
export const profileBody = z.strictObject({ display_name: text.nullable() });
export const passwordBody = z.strictObject({ password, code, new_password: text });
export const confirmBody = z.strictObject({ code: text });
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
const place = { role: z.enum(roles), merchant: text.optional() };
export const staffBody = z.strictObject({ username: text, password, display_name: text.optional(), ...place });
export const roleBody = z.strictObject(place);
export const banBody = z.strictObject({ reason: text });

export const merchantParams = z.object({ merchant: z.string() });
export const merchantBody = z.strictObject({ id: text, name: text });
export const merchantNameBody = z.strictObject({ name: text });

export const keyIdParams = z.object({ key_id: idOf(parseKeyId) });
export const serverKeyBody = z.strictObject({
  name: text,
  scopes: z.array(z.enum(permissions)).max(permissions.length),
  expires_in_seconds: integer.optional(),
  merchant: text.optional(),
});
export const rotateKeyBody = z.strictObject({ overlap_seconds: integer.optional() });

const account = {
  id,
  username: z.string(),
  display_name: z.string().nullable(),
  role: z.enum(roles),
  merchant: z.string().nullable(),
  totp: z.boolean(),
  created_at: instantText,
};
export const accountAnswer = z.strictObject(account);
export const accountForStaffAnswer = z.strictObject({
  ...account,
  banned: z.strictObject({ at: instantText, reason: z.string() }).nullable(),
});

const bearer = { token: z.string(), token_type: z.literal("Bearer"), expires_at: instantText };
export const grantAnswer = z.strictObject({
  ...bearer,
  refresh_token: z.string().nullable(),
  session_id: id,
  totp_required: z.boolean(),
  account: accountAnswer,
});
export const exchangeAnswer = z.strictObject(bearer);
export const loggedOutAnswer = z.strictObject({ sessions_ended: z.int().nonnegative() });
export const doneAnswer = z.strictObject({});
export const enrolAnswer = z.strictObject({ secret: z.string(), uri: z.string() });
export const confirmAnswer = z.strictObject({ recovery_codes: z.array(z.string()) });
export const sessionsAnswer = z.strictObject({
  items: z.array(z.strictObject({ id, created_at: instantText, last_used_at: instantText, expires_at: instantText, current: z.boolean() })),
});

export const merchantAnswer = z.strictObject({ id: z.string(), name: z.string(), created_at: instantText });
export const merchantsAnswer = z.strictObject({ items: z.array(merchantAnswer) });

const serverKey = {
  id,
  merchant: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(permissions)),
  prefix: z.string(),
  created_at: instantText,
  expires_at: instantText.nullable(),
  revoked_at: instantText.nullable(),
  last_used_on: z.iso.date().nullable(),
};
export const serverKeyAnswer = z.strictObject(serverKey);
/** `key` is shown this once. */
export const newServerKeyAnswer = z.strictObject({ ...serverKey, key: z.string() });
export const serverKeysAnswer = z.strictObject({ items: z.array(serverKeyAnswer) });
