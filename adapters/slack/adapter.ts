import { LARGEST_BODY_BYTES_MAX } from "../../src/domain/bounds.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Adapter, WebhookSpec } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { besideModule } from "../../src/shared/beside.ts";
import type { Secret } from "../../src/shared/secret.ts";
import type { Visibility } from "./address.ts";
import { createWeb } from "./api.ts";
import { type ChangePolicy, UNCHANGED } from "./changes.ts";
import { WORDS } from "./explain.ts";
import { Identity } from "./identity.ts";
import { parseSlack } from "./parse.ts";
import { probeSlack } from "./probe.ts";
import { renderReply } from "./render.ts";
import { createClient } from "./send.ts";
import { createThreadReader, type ThreadLimits } from "./thread.ts";
import { screenSlack, verifySlack } from "./verify.ts";

export interface SlackOptions {
  /** One, or two while a secret is being changed. */
  readonly signingSecrets: readonly Secret[];
  readonly botToken: Secret;
  /** What another app delivers is ignored; absent: none is told apart. */
  readonly appId?: string;
  /** Base of the Web API with a trailing slash; Slack's own when absent. */
  readonly apiUrl?: string;
  /** Who sees the answer to a slash command or a shortcut; the person alone by default. */
  readonly commandReplies?: Visibility;
  /** Whether an answer to a direct message opens a thread under it (default) or follows it. */
  readonly dmReplies?: "thread" | "flat";
  /** What becomes of messages that are edited or deleted; edits are ignored, and what is deleted leaves memory, by default. */
  readonly changes?: ChangePolicy;
  /** How much of a thread that the bot comes into is shown to the agent; none of it when absent. */
  readonly threadLimits?: ThreadLimits;
  /** Somebody will call `learn`: until it has told whose token this is, nothing is taken to be ours. */
  readonly learns?: boolean;
  readonly clock: Clock;
  /** For one call of the Web API. */
  readonly timeoutMs: number;
}

export interface SlackAdapter extends Adapter {
  /** Asks Slack once who we are. False: worth another try. */
  readonly learn: (signal: AbortSignal) => Promise<boolean>;
}

/** Throws CONFIG_INVALID: without a secret an adapter would let anyone in. */
export function createSlackAdapter(options: SlackOptions): SlackAdapter {
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

  const self = new Identity(options.learns === true ? null : "any");
  const call = createWeb(options);
  const { changes = UNCHANGED, appId } = options;
  const reading = { commandReplies, dmReplies, self, changes, appId };
  const client = createClient(options, call, (posted) => self.notePost(posted));
  const { threadLimits: limits, clock } = options;
  return {
    platform: "slack",
    webhook: WEBHOOK,
    ignored: WORDS.ignored,
    screen: screenSlack,
    verify: (request) => verifySlack(request, signingSecrets),
    parse: (request) => parseSlack(request, reading),
    render: renderReply,
    renderer: RENDERER,
    send: client.send,
    recover: client.recover,
    typing: client.typing,
    ...(limits !== undefined && { thread: createThreadReader({ call, self, limits, clock }) }),
    serves: ({ tenant }) => (self.tenants === "any" ? true : (self.tenants?.has(tenant) ?? null)),
    probe: (signal) => probeSlack(options, signal),
    learn: (signal) => self.learn(call, signal),
  };
}

const WEBHOOK: WebhookSpec = {
  // One address does for all; the others are those that many an app has from elsewhere.
  paths: ["", "/commands", "/interactions"],
  methods: ["POST"],
  // As Slack's own framework: forms with blocks can be large.
  bytesMax: LARGEST_BODY_BYTES_MAX,
};
const RENDERER = besideModule(import.meta.url, "render");

function isEmpty(secret: Secret): boolean {
  return secret.reveal() === "";
}
