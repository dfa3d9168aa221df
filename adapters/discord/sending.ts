import { generateKeyPairSync } from "node:crypto";
import type { Sending } from "../../src/ports/sampler.ts";
import { discordSampler } from "./sample.ts";

export const sending: Sending = {
  kinds: discordSampler.kinds,
  secretVariable: () => "DISCORD_PRIVATE_SEED",
  needsSecret: true,
  build(options, env) {
    const applicationId = env.text("DISCORD_APPLICATION_ID");
    return discordSampler.build({ ...options, ...(applicationId !== null && { applicationId }) });
  },
  keyPair() {
    const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    const hex = (part: string | undefined) => Buffer.from(part ?? "", "base64url").toString("hex");
    const [key, seed] = [hex(x), hex(d)];
    return {
      json: { public_key: key, seed },
      variables: { DISCORD_PUBLIC_KEY: key, DISCORD_PRIVATE_SEED: seed },
    };
  },
};
