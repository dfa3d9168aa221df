import { GatewayError } from "../../domain/errors.ts";
import { quoted } from "../../domain/redact.ts";
import { unavailable } from "./link.ts";

/** Answers of a server that is there but cannot or must not be used now. Any other is a fault of ours. */
const PASSING =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|OOM|MISCONF|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM|UNBLOCKED)\b/;

/** What trying again does not help: the wrong password, and a certificate that was not signed by whom we trust. */
const REFUSALS = /^(NOAUTH|WRONGPASS|NOPERM)\b/;
const REFUSED_CERTIFICATES = /CERT|LEAF_SIGNATURE/;

/**
 * What the client rejected with, in our words. Without its error, which has with it what was sent: messages of people,
 * or the password.
 */
export function asStoreError(error: unknown, script: string): GatewayError {
  if (error instanceof GatewayError) return error;
  if (!(error instanceof Error)) return unavailable(String(error));
  const message = plainly(error);
  return isReply(error) ? refused(script, message) : unavailable(message);
}

/** What Redis said. Where trying again does not help, it is a fault of ours, or of what others keep under our keys. */
export function refused(script: string, message: string): GatewayError {
  if (PASSING.test(message)) return unavailable(message);
  return new GatewayError("STORE_WRITE_FAILED", `Redis refused script ${script}: ${message}`);
}

/** Of what Redis said; its own errors are shorter. */
const REASON_CHARS_MAX = 500;

/** Redis has said something, be it no. */
export function isAnswer(error: unknown): boolean {
  return error instanceof GatewayError || isReply(error);
}

export function isHopeless(error: Error): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return REFUSALS.test(error.message) || REFUSED_CERTIFICATES.test(code);
}

/** Redis turned us away once the connection stood: for a right that we lack. */
export function isRefusal({ message }: GatewayError): boolean {
  return /: (NOAUTH|WRONGPASS|NOPERM)\b/.test(message);
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/** Why, without what was sent. */
export function plainly(error: Error): string {
  const { code, lastNodeError } = error as NodeJS.ErrnoException & { lastNodeError?: Error };
  if (lastNodeError !== undefined) return plainly(lastNodeError);
  if (error.name === "MaxRetriesPerRequestError") return "the connection was lost";
  // Redis repeats the beginning of a command that it does not know. A name that does not resolve, or several
  // addresses, make an error without a message.
  return (
    quoted(error.message.replace(/, with args beginning with.*$/s, ""), REASON_CHARS_MAX) ||
    code ||
    error.name
  );
}
