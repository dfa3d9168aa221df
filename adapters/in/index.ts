import type { PlatformModule } from "../../src/ports/platform.ts";
import { secret } from "../../src/shared/variable.ts";
import { WORDS } from "./explain.ts";

/** Signed webhooks of programs, and what they are answered with. All of it stands in `inbound` of gateway.yaml. */
export const inbound: PlatformModule = {
  name: "in",
  label: "Inbound",
  tenant: "Inbound webhook",
  variables: [
    secret("PARLEY_IN_SECRET", "Signs what `parley send in` sends: the `secret` of that webhook", {
      isOfCommands: true,
    }),
  ],
  needs: [],
  options: {},
  settings: () => ({ kind: "on" }),
  api: () => null,
  words: WORDS,
  example: 'in --channel ci --text "The build is red"',
  sampler: async () => (await import("./sending.ts")).sending,
  async open({ inbound: webhooks, clock }) {
    const { createInboundAdapter } = await import("./adapter.ts");
    if (webhooks === undefined) throw new Error("Expected the webhooks of gateway.yaml, got none");
    return createInboundAdapter({ webhooks, clock });
  },
  isForPrograms: true,
};
