/**
 * The refresh token of a page: in a cookie that scripts cannot read and that is sent to the routes of signing in only.
 * A browser sends it without being asked, so it counts only in a request that one of our own pages has made.
 */
import { failure, type Reply } from "./envelope.ts";

export const refreshCookieName = "doorbuster_refresh";
export const refreshCookiePath = "/api/v1/auth";

type CookieOptions = { readonly maxAgeSeconds: number; readonly secure: boolean };

export function refreshCookie(token: string, { maxAgeSeconds, secure }: CookieOptions): Readonly<Record<string, string>> {
  const parts = [`${refreshCookieName}=${token}`, `Path=${refreshCookiePath}`, `Max-Age=${maxAgeSeconds}`, "HttpOnly", "SameSite=Strict"];
  return { "Set-Cookie": [...parts, ...(secure ? ["Secure"] : [])].join("; ") };
}

export const noRefreshCookie = (secure: boolean): Readonly<Record<string, string>> => refreshCookie("", { maxAgeSeconds: 0, secure });

/** The token in a request's cookie. */
export const readRefreshCookie = (headers: Headers): string | undefined => cookieNamed(headers, refreshCookieName);

/** A cookie's value. One that is given twice is none: which one counts would be a guess. */
export function cookieNamed(headers: Headers, wanted: string): string | undefined {
  const named = (headers.get("cookie") ?? "").split(";").flatMap((pair) => {
    const [name = "", ...value] = pair.trim().split("=");
    return name === wanted ? [value.join("=")] : [];
  });
  return named.length === 1 && named[0] !== "" ? named[0] : undefined;
}

/**
 * What is wrong with a request that comes with the cookie, if another site's page may have made it. Browsers send Origin
 * with every POST; it must be the host that the request was sent to. Whoever is no browser sends the token in the body.
 */
export function foreignPage(request: Request): Reply | undefined {
  const { headers } = request;
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  const host = headers.get("host") ?? new URL(request.url).host;
  const isOurs = origin !== null && hostOf(origin) === host.toLowerCase();
  if (isOurs && (site === null || site === "same-origin")) return undefined;
  return failure("forbidden", { field: "Origin", problem: "must be this server's own, where the refresh token is in a cookie" });
}

/** Of "https://shop.test:8443"; what is no origin of a page has none. */
function hostOf(origin: string): string | undefined {
  const [, host] = /^https?:\/\/([^/\s@]+)$/i.exec(origin) ?? [];
  return host?.toLowerCase();
}
