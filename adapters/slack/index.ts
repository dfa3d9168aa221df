import type { Secret } from "../../src/config/secret.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Visibility } from "./address.ts";
import { createClient } from "./client.ts";
import { parseSlack } from "./parse.ts";
import { renderParts } from "./render.ts";
import { verifySlack } from "./verify.ts";

export interface SlackOptions {
  /** One, or two while a secret is being changed. */
  readonly signingSecrets: readonly Secret[];
  readonly botToken: Secret;
  /** Base of the Web API with a trailing slash; Slack's own when absent. */
  readonly apiUrl?: string;
  /** Who sees the answer to a slash command or a shortcut; the person alone by default. */
  readonly commandReplies?: Visibility;
  /** Whether an answer to a direct message opens a thread under it (default) or follows it. */
  readonly dmReplies?: "thread" | "flat";
  readonly clock: Clock;
  /** For one call of the Web API. */
  readonly timeoutMs: number;
}

/** Throws CONFIG_INVALID: without a secret an adapter would let anyone in. */
export function createSlackAdapter(options: SlackOptions): Adapter {
  const { signingSecrets, commandReplies = "ephemeral", dmReplies = "thread" } = options;
  if (signingSecrets.length < 1 || signingSecrets.length > 2 || signingSecrets.some(isEmpty))
    throw new GatewayError(
      "CONFIG_INVALID",
      `Expected one or two Slack signing secrets, none of them empty, got ${signingSecrets.length}`,
    );
  if (isEmpty(options.botToken))
    throw new GatewayError("CONFIG_INVALID", "Expected a Slack bot token, got an empty one");
  if (options.apiUrl !== undefined && !/^https?:$/.test(URL.parse(options.apiUrl)?.protocol ?? ""))
    throw new GatewayError(
      "CONFIG_INVALID",
      "Expected the Slack API URL to be an http(s) URL, got something else",
    );

  const client = createClient(options);
  return {
    platform: "slack",
    verify: (request) => verifySlack(request, signingSecrets),
    parse: (request) => parseSlack(request, { commandReplies, dmReplies }),
    render: (markdown) => renderParts(markdown),
    send: client.send,
    recover: client.recover,
    typing: client.typing,
  };
}

function isEmpty(secret: Secret): boolean {
  return secret.reveal() === "";
}
