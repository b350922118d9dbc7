import type { RefusalReason } from "./purchase.ts";

/**
 * Every public code: what a caller branches on. `reason` is the stable string, `code` its number (0 = OK; 401, 403, 404,
 * 429 and 5xx as the status; 7xx risk; 1xxx the sale; 2xxx orders and payments; 4xxx the request), `todo` one line that
 * says what to do. docs/errors.md explains each and is checked against this table in both directions.
 */
export type PublicError = { readonly code: number; readonly status: number; readonly message: string; readonly todo: string };

const error = (code: number, status: number, message: string, todo: string): PublicError => ({ code, status, message, todo });

// oxfmt-ignore
export const publicErrors = {
  not_started: error(1001, 409, "The sale has not started", "Wait until starts_at, by server_time"),
  ended: error(1002, 410, "The sale has ended", "Stop trying: nothing more is sold in it"),
  paused: error(1003, 409, "The sale is paused", "Try again when its status is live"),
  sale_cancelled: error(1004, 410, "The sale was cancelled by the shop", "Stop trying: nothing more is sold in it"),
  all_taken: error(1005, 409, "All units are taken, some are unpaid and may return", "Try again later while held is above zero"),
  sold_out: error(1006, 409, "The sale is sold out", "Stop trying, unless the shop adds units"),
  limit_reached: error(1007, 409, "The buyer has as many units as the limit allows", "Buy no more in this sale, or ask for fewer units"),
  key_reused: error(1008, 422, "The Idempotency-Key was used with another payload", "Use a new key for a new purchase, the same payload for a repeat"),
  attempts_exhausted: error(1011, 409, "The buyer took and gave back too often in this sale", "Stop trying: a buyer's attempts per sale are bounded"),
  discarded: error(1012, 409, "The shop could not make an order of the purchase", "Buy again with a new key, while there are units"),

  order_not_payable: error(2001, 409, "The order cannot be paid in its state", "Read the order: only a reserved one before its deadline can be paid"),
  order_not_cancellable: error(2002, 409, "The order cannot be cancelled in its state", "Read the order: only a reserved one can be cancelled"),
  order_not_refundable: error(2003, 409, "The order cannot be refunded in its state", "Read the order: only a paid one can be refunded"),
  switch_not_allowed: error(2004, 409, "The sale cannot change so in its status", "Read the sale: its status says what is possible"),
  product_exists: error(2005, 409, "A product with this id and other fields exists", "Use another id, or leave it out to get a new one"),
  payment_failed: error(2006, 502, "The payment provider declined to start the payment", "Start the payment again, or choose another way to pay"),

  version_differs: error(2007, 409, "It was changed since it was read", "Read it again, and repeat the change with the version it has now"),
  product_in_use: error(2008, 409, "A sale of the product is not over", "Cancel that sale, or wait until it has ended"),
  letter_not_replayable: error(2009, 409, "Nobody can read this message, so there is nothing to try again", "Discard it"),
  order_not_extendable: error(2010, 409, "The order is given no more time to pay", "Read the order: only a reserved one before its deadline can have more"),
  extensions_used_up: error(2011, 409, "The order has had all the extensions that its sale allows", "Pay it before its deadline"),
  letter_not_discardable: error(2012, 409, "The database keeps nothing of this purchase, not even its refusal", "See the letter's problem, and mend what it names"),
  letter_settled: error(2013, 409, "The purchase was settled before this", "Read the purchase: data.state says what became of it"),

  username_taken: error(2101, 409, "An account has this username", "Choose another username, or log in"),
  merchant_exists: error(2102, 409, "A shop with this id exists", "Choose another id, or rename the shop"),
  second_factor_state: error(2103, 409, "The second factor is not in the state that this needs", "Read the account: totp says whether there is one"),
  last_admin: error(2104, 409, "An admin's account cannot be erased", "Let another admin take the role away first"),

  malformed: error(4000, 400, "The request is malformed", "Correct the field that data.field names"),
  invalid: error(4001, 422, "A value cannot be accepted", "Correct the field that data.field names"),
  too_large: error(4002, 413, "The body is too large", "Send at most data.max_bytes bytes"),
  unsupported_media_type: error(4003, 415, "The body is not JSON", "Send Content-Type: application/json"),
  method_not_allowed: error(4004, 405, "The path does not know this method", "Use one of the methods in the Allow header"),
  precondition_failed: error(4007, 412, "It is no longer what If-Match names", "Read it again, and repeat the change with its new ETag"),
  too_many_headers: error(4006, 431, "The request has too many headers", "Send at most data.limit headers"),
  callback_rejected: error(4005, 401, "The callback's signature does not match", "Sign the raw body with the shared secret, within 300 s"),

  unauthenticated: error(401, 401, "The request names nobody", "Send a valid Authorization: Bearer token, or X-API-Key with X-User-Id"),
  credentials_wrong: error(4011, 401, "The username, password or code is wrong", "Try again, at most five times a minute"),
  code_required: error(4012, 401, "The account has a second factor", "Repeat with code: six digits of the app, or a recovery code"),
  session_over: error(4013, 401, "The session is over", "Log in again"),
  forbidden: error(403, 403, "The caller may not do this", "Use a server key that may"),
  account_banned: error(4031, 403, "The account is banned", "Ask the shop"),
  sale_unknown: error(4041, 404, "The sale does not exist", "Check the id in the path"),
  purchase_unknown: error(4042, 404, "The purchase does not exist or belongs to somebody else", "Check the id or key in the path"),
  product_unknown: error(4043, 404, "The product does not exist", "Create the product first, or check its id"),
  payment_unknown: error(4044, 404, "The payment does not exist", "Check the payment's id"),
  account_unknown: error(4045, 404, "The account does not exist", "Check the id in the path"),
  session_unknown: error(4046, 404, "The account has no such session", "List the account's sessions"),
  merchant_unknown: error(4047, 404, "The shop does not exist", "Check the id in the path"),
  key_unknown: error(4048, 404, "The server key does not exist, or counts no more", "List the shop's keys"),
  letter_unknown: error(4049, 404, "There is no such dead letter", "List the dead letters"),
  path_unknown: error(404, 404, "The path does not exist", "See the API documentation for the paths there are"),

  too_many_streams: error(4291, 429, "There are too many open streams", "Close one, or come again after Retry-After seconds"),
  too_many_tries: error(4292, 429, "There were too many tries to sign in", "Come again after Retry-After seconds"),
  busy: error(503, 503, "The server is busy and tried nothing", "Repeat with the same key after Retry-After seconds"),
  storage_full: error(5031, 503, "The disk is full, so nothing can be kept", "Repeat with the same key later; the operator has to make room"),
  draining: error(5032, 503, "The server is stopping and takes no new work", "Repeat with the same key after Retry-After seconds"),
  keys_unavailable: error(5033, 503, "The shop's published keys cannot be read", "Repeat after Retry-After seconds; the operator looks at jwks.url"),
  rebuilding: error(5034, 503, "The sale's stock is being counted anew", "Repeat with the same key after Retry-After seconds"),
  outcome_unknown: error(504, 504, "The outcome is not known yet", "Repeat with the same key: it has one effect"),
  internal: error(500, 500, "The server failed", "Repeat with the same key; report the X-Request-Id if it persists"),
} as const satisfies Record<string, PublicError> & Record<RefusalReason, PublicError>;

export type ErrorReason = keyof typeof publicErrors;
