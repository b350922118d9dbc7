import { expect, test } from "bun:test";
import { parseSessionId, type SessionId } from "../../domain/ids.ts";
import { SystemEntropy } from "../system/system-entropy.ts";
import { createAccountSecrets } from "./account-secrets.ts";

const secrets = createAccountSecrets(new Uint8Array(32).fill(3), new SystemEntropy());
const others = createAccountSecrets(new Uint8Array(32).fill(4), new SystemEntropy());
const session = parseSessionId("720000000000000001") as SessionId;

test("[AC6] a token names its session and always has the same successor, from which nothing leads back", () => {
  const first = secrets.firstToken(session);
  const read = secrets.readToken(first.text);
  expect(read).toMatchObject({ session, digest: first.digest });
  expect(secrets.readToken(first.text)).toEqual(read);
  expect(read?.next.text).not.toContain(first.text.split(".")[1] ?? "");
  const later = secrets.readToken(read?.next.text ?? "");
  expect(later?.digest).toBe(read?.next.digest);
  expect(later?.next.digest).not.toBe(read?.next.digest);
  expect(secrets.firstToken(session).text).not.toBe(first.text);
  // 256 bits of chance, and of the token nothing but a digest to be kept.
  expect(first.text).toMatch(/^dbr_\d{1,19}\.[\w-]{43}\.[\w-]{22}$/);
  expect(first.digest).toMatch(/^[\w-]{43}$/);
});

test("[AC7] whatever we did not make is no token, so nobody ends a session by inventing one", () => {
  const { text } = secrets.firstToken(session);
  const [head = "", body = "", mac = ""] = text.split(".");
  const foreign = others.firstToken(session).text;
  const bad = [
    "",
    "dbr_",
    foreign,
    `${text} `,
    ` ${text}`,
    `${text}\n`,
    text.slice(0, -1),
    `${text}A`,
    text.toUpperCase(),
    `${head}.${body}`,
    `dbr_720000000000000002.${body}.${mac}`,
    `dbr_0720000000000000001.${body}.${mac}`,
    `${head}.${"A".repeat(43)}.${mac}`,
    `${head}.${body}.${"A".repeat(22)}`,
    `${head}.${body}.${foreign.split(".")[2] ?? ""}`,
    "x".repeat(100_000),
  ];
  for (const each of bad) expect(secrets.readToken(each)).toBeUndefined();
});

test("[AC12] a sealed text opens for its owner with this secret, and for nobody else", () => {
  const sealed = secrets.seal("JBSWY3DPEHPK3PXP", "42");
  expect(sealed).not.toContain("JBSWY3DP");
  expect(secrets.seal("JBSWY3DPEHPK3PXP", "42")).not.toBe(sealed);
  expect(secrets.open(sealed, "42")).toBe("JBSWY3DPEHPK3PXP");
  expect(secrets.open(sealed, "43")).toBeUndefined();
  expect(others.open(sealed, "42")).toBeUndefined();
  for (const bad of ["", "v1.", "v1.AAAA", `${sealed}AA`, sealed.slice(0, -2), sealed.replace("v1.", "v2.")])
    expect(secrets.open(bad, "42")).toBeUndefined();
});

test("[AC12] recovery codes are 80 bits each, told by their digest however they are typed", () => {
  const codes = secrets.recoveryCodes(10);
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^(?:[0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
  const [code = ""] = codes;
  expect(secrets.recoveryDigest(code.toUpperCase().replaceAll("-", " "), "42")).toBe(secrets.recoveryDigest(code, "42"));
  expect(secrets.recoveryDigest(code, "43")).not.toBe(secrets.recoveryDigest(code, "42"));
});

test("[AC12] a short secret is refused", () => expect(() => createAccountSecrets(new Uint8Array(31), new SystemEntropy())).toThrow("32"));
