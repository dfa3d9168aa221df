import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { doubtful, PROBE_TIMEOUT_MS, probed, well } from "../shared/probe.ts";
import type { WhatsAppClient } from "./api.ts";

const SETTINGS = { address: "WHATSAPP_API_URL", credential: "WHATSAPP_ACCESS_TOKEN" };

/** Reads the phone number, which needs another right than sending from it: that it may not be read is no failure. */
export async function probeWhatsApp(
  client: WhatsAppClient,
  phoneNumberId: string,
  signal: AbortSignal,
): Promise<readonly ProbeFinding[]> {
  return await probed(SETTINGS, async () => {
    const id = await client.readNumber(phoneNumberId, signal, PROBE_TIMEOUT_MS);
    return id === phoneNumberId
      ? [well("its API takes the access token for this number")]
      : [
          doubtful(
            "its API gives another phone number than WHATSAPP_PHONE_NUMBER_ID",
            "check WHATSAPP_PHONE_NUMBER_ID",
          ),
        ];
  });
}
