import { generateSecret, generateURI, verifySync } from "otplib";
import type { OneTimeCodes } from "../../ports/one-time-codes.ts";

const stepSeconds = 30;
/** A phone's clock may be a step off either way. */
const toleranceSeconds = stepSeconds;

/** `issuer`: what an authenticator app shows above the code. */
export function createOneTimeCodes(issuer: string): OneTimeCodes {
  return {
    newSecret: () => generateSecret(),
    uri: (secret, username) => generateURI({ issuer, label: username, secret }),
    check({ secret, code, nowMs, afterStep }) {
      if (!/^\d{6}$/.test(code)) return undefined;
      const epoch = Math.floor(nowMs / 1000);
      const newest = Math.floor((epoch + toleranceSeconds) / stepSeconds);
      // The clock was set back, or the code of the newest step was used: there is none that may follow.
      if (afterStep >= newest) return undefined;
      const result = verifySync({ secret, token: code, epoch, epochTolerance: toleranceSeconds, afterTimeStep: afterStep });
      if (!result.valid || !("timeStep" in result)) return undefined;
      return result.timeStep > afterStep ? result.timeStep : undefined;
    },
  };
}
