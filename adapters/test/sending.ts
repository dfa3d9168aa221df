import type { Sending } from "../../src/ports/sampler.ts";
import { testSampler } from "./sample.ts";

export const sending: Sending = {
  kinds: testSampler.kinds,
  secretVariable: () => "PARLEY_DEV_KEY",
  needsSecret: false,
  build: (options) => testSampler.build(options),
};
