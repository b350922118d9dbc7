/** Brings callbacks to a URL: signed at the moment of sending over exactly the bytes that are sent. */
import type { Clock } from "../../ports/clock.ts";
import type { CallbackSender } from "./callback-outbox.ts";
import { signWebhook } from "./webhook-signature.ts";

export type PosterOptions = {
  /** Asked for each time: the shop's port may be known only after it listens. */
  readonly url: () => string;
  readonly secrets: readonly Uint8Array[];
  readonly clock: Clock;
  readonly timeoutMs?: number | undefined;
};

const timeoutDefaultMs = 5_000;

export function callbackPoster({ url, secrets, clock, timeoutMs = timeoutDefaultMs }: PosterOptions): CallbackSender {
  return async ({ id, body: text }) => {
    const body = new TextEncoder().encode(text);
    const headers = { ...signWebhook(secrets, { id, body, nowMs: clock.nowMs() }), "content-type": "application/json" };
    try {
      const response = await fetch(url(), { method: "POST", headers, body, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      // No answer, whatever the cause: it is sent again.
      return false;
    }
  };
}
