import type { Sending } from "../../src/ports/sampler.ts";
import { inboundSampler } from "./sample.ts";

export const sending: Sending = {
  kinds: inboundSampler.kinds,
  secretVariable: () => "PARLEY_IN_SECRET",
  needsSecret: true,
  build: (options) => inboundSampler.build(options),
};
