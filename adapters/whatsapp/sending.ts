import type { Sending } from "../../src/ports/sampler.ts";
import { whatsAppSampler } from "./sample.ts";

export const sending: Sending = {
  kinds: whatsAppSampler.kinds,
  secretVariable: (kind) => (kind === "verify" ? "WHATSAPP_VERIFY_TOKEN" : "WHATSAPP_APP_SECRET"),
  needsSecret: true,
  build(options, env) {
    const channel = options.channel ?? env.text("WHATSAPP_PHONE_NUMBER_ID");
    return whatsAppSampler.build({ ...options, ...(channel !== null && { channel }) });
  },
};
