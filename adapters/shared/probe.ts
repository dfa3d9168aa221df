import { DeliveryError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { Redirected } from "../../src/shared/call.ts";

/** From connecting to the last byte: whoever asks is not to wait for long. */
export const PROBE_TIMEOUT_MS = 4_000;

/** What operators set, named in what is found. */
export interface Probed {
  /** `SLACK_API_URL` */
  readonly address: string;
  /** `SLACK_BOT_TOKEN` */
  readonly credential: string;
}

export function well(message: string): ProbeFinding {
  return { status: "ok", message, fix: null, code: null };
}

/** The settings do not belong together, or not to this installation. */
export function mismatch(message: string, fix: string): ProbeFinding {
  return { status: "fail", message, fix, code: "PLATFORM_MISMATCH" };
}

export function doubtful(message: string, fix: string): ProbeFinding {
  return { status: "warn", message, fix, code: null };
}

/** Asks, and says what came in words of ours; never throws. */
export async function probed(
  settings: Probed,
  ask: () => Promise<readonly ProbeFinding[]>,
): Promise<readonly ProbeFinding[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return [findingOf(error, settings)];
  }
}

/**
 * | failure | |
 * |-|-|
 * | `refused` | the credential is not taken |
 * | 429 | it answers, and wants to be left alone: says nothing about the credential |
 * | `rejected` | it answers, and lacks something else: for a person to judge |
 * | any other, a redirect among them | what answers there is not the API, or is not well |
 */
function findingOf(error: DeliveryError, { address, credential }: Probed): ProbeFinding {
  const { kind, status, message } = error;
  if (kind === "refused") {
    const fix = `put a valid one in ${credential}, and start again`;
    return {
      status: "fail",
      message: `its API refuses the credential: ${message}`,
      fix,
      code: "PLATFORM_REFUSED",
    };
  }
  if (status === 429) return doubtful(`its API asks to be called later: ${message}`, "try again in a while");
  if (kind === "rejected" && !(error instanceof Redirected))
    return doubtful(`its API answers, but: ${message}`, `look at the rights behind ${credential}`);
  const fix = `check the network and ${address}`;
  return {
    status: "fail",
    message: `its API does not answer as it should: ${message}`,
    fix,
    code: "PLATFORM_UNREACHABLE",
  };
}
