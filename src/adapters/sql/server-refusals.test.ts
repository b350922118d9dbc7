import { expect, test } from "bun:test";
import { StoreUnavailable } from "../../ports/store-unavailable.ts";
import { ServerError, type ServerErrorKind } from "./server-driver.ts";
import { refusalOf } from "./server-refusals.ts";

/** As it arrives: the driver's error in ours, in the store's. */
function arrived(kind: ServerErrorKind, cause: Error): Error {
  const own = new ServerError(kind, cause.message, cause);
  return new StoreUnavailable("unavailable", own.message, own);
}
const by = (message: string, marks: object) => Object.assign(new Error(message), marks);

test.each([
  [
    "MySQL: a wrong password",
    by("Access denied for user", { errno: 1045, code: "ER_ACCESS_DENIED_ERROR", sqlState: "28000" }),
    "not-let-in",
  ],
  ["MySQL: a host that may not come", by("Host is not allowed", { errno: 1130, sqlState: "HY000" }), "not-let-in"],
  ["MySQL: no database", by("Unknown database", { errno: 1049, sqlState: "42000" }), "no-database"],
  ["MySQL: too many connections", by("Too many connections", { errno: 1040, sqlState: "08004" }), "full"],
  ["MySQL: too many of this user", by("has exceeded", { errno: 1226, sqlState: "42000" }), "full"],
  ["MySQL: only encrypted", by("Connections using insecure transport are prohibited", { errno: 3159, sqlState: "HY000" }), "transport"],
  ["MySQL: not encrypted", by("Server does not support secure connection", { code: "HANDSHAKE_NO_SSL_SUPPORT" }), "transport"],
  ["PostgreSQL: a wrong password", by("password authentication failed", { code: "28P01" }), "not-let-in"],
  ["PostgreSQL: no line for it", by("no pg_hba.conf entry", { code: "28000" }), "not-let-in"],
  ["PostgreSQL: no password", by("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string", {}), "not-let-in"],
  ["PostgreSQL: no database", by("does not exist", { code: "3D000" }), "no-database"],
  ["PostgreSQL: may not connect", by("permission denied for database", { code: "42501" }), "no-database"],
  ["PostgreSQL: too many connections", by("sorry, too many clients already", { code: "53300" }), "full"],
  ["PostgreSQL: starting", by("the database system is starting up", { code: "57P03" }), "not-ready"],
  ["PostgreSQL: not encrypted", by("The server does not support SSL connections", {}), "transport"],
  ["no such host", by("getaddrinfo ENOTFOUND db", { errno: -3008, code: "ENOTFOUND" }), "no-such-host"],
  ["nobody listens", by("connect ECONNREFUSED", { errno: -111, code: "ECONNREFUSED" }), "unreachable"],
  ["a certificate nobody signed", by("self-signed certificate", { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), "transport"],
  ["a certificate of another host", by("Hostname/IP does not match", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }), "transport"],
  ["no answer", by("connect ETIMEDOUT", { code: "ETIMEDOUT" }), "silent"],
  ["no answer to pg", by("Connection terminated due to connection timeout", {}), "silent"],
  ["something else", by("Received unexpected copyData message from backend", {}), "other"],
] as const)("[H7] %s", (_title, cause, reason) => {
  expect(refusalOf(arrived("unavailable", cause))).toEqual({ reason, said: cause.message });
});

test("both addresses of a host refuse: what is said is not empty", () => {
  const both = Object.assign(new AggregateError([by("connect ECONNREFUSED ::1", { code: "ECONNREFUSED" })], ""), { code: "ECONNREFUSED" });
  expect(refusalOf(arrived("unavailable", both))).toEqual({ reason: "unreachable", said: "ECONNREFUSED" });
});

test("a statement that the server does not understand is no refusal, nor is a mistake of ours", () => {
  expect(refusalOf(arrived("defect", by("You have an error in your SQL syntax", { errno: 1064, sqlState: "42000" })))).toBeUndefined();
  expect(refusalOf(new TypeError("undefined is not a function"))).toBeUndefined();
});
