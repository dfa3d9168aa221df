import { BODY_BYTES_MAX } from "../../src/domain/bounds.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { InboundWebhook } from "../../src/ports/platform.ts";
import { readAddress } from "./address.ts";
import { WORDS } from "./explain.ts";
import { parseInbound } from "./parse.ts";
import { renderReply } from "./render.ts";
import { sendPart } from "./send.ts";
import { screenInbound, verifyInbound } from "./verify.ts";

export interface InboundOptions {
  /** As the configuration has them now. Which names are served was decided at the start. */
  readonly webhooks: () => readonly InboundWebhook[];
  readonly clock: Pick<Clock, "nowMs">;
}

/** Webhooks of programs: signed in, and what they are answered with signed out, to where the operator says. */
export function createInboundAdapter({ webhooks, clock }: InboundOptions): Adapter {
  const names = webhooks().map(({ name }) => name);
  return {
    platform: "in",
    webhook: { paths: names.map((name) => `/${name}`), methods: ["POST"], bytesMax: BODY_BYTES_MAX },
    ignored: WORDS.ignored,
    screen: (head) => screenInbound(head, webhooks),
    verify: (request) => verifyInbound(request, webhooks),
    parse: (request) => parseInbound(request, webhooks),
    render: (markdown) => renderReply(markdown),
    destinationOf: (to) => `in:${readAddress(to)?.webhook ?? ""}`,
    send: (delivery, signal, permit) =>
      sendPart(delivery, { webhooks, nowMs: clock.nowMs(), signal, permit }),
    // By its webhook-id whoever gets it knows what has come before.
    recover: async () => "repeatable",
  };
}
