import { DeliveryError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { PROBE_TIMEOUT_MS, probed, well } from "../shared/probe.ts";
import { createWeb, type WebOptions } from "./api.ts";

const SETTINGS = { address: "SLACK_API_URL", credential: "SLACK_BOT_TOKEN" };

/** `auth.test`: needs no scope, and is answered for any token that is taken. */
export async function probeSlack(options: WebOptions, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const call = createWeb({ ...options, timeoutMs: Math.min(options.timeoutMs, PROBE_TIMEOUT_MS) });
  return await probed(SETTINGS, async () => {
    try {
      await call("auth.test", {}, signal);
    } catch (error) {
      // Slack says no in a 200: any other status is of something else.
      if (error instanceof DeliveryError && error.kind === "rejected" && error.status !== 200)
        throw new DeliveryError("unknown", error.message, { status: error.status });
      throw error;
    }
    return [well("its API takes the bot token")];
  });
}
