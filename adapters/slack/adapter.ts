import { LARGEST_BODY_BYTES_MAX } from "../../src/domain/bounds.ts";
import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { ReplyAddress, TriggerEvent } from "../../src/domain/event.ts";
import type { Adapter, OutgoingFiles, Socket, ThreadReader, WebhookSpec } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Kept, OpenContext } from "../../src/ports/platform.ts";
import { besideModule } from "../../src/shared/beside.ts";
import type { Secret } from "../../src/shared/secret.ts";
import type { ChangePolicy } from "../shared/change-options.ts";
import { type Form, Forms } from "../shared/forms.ts";
import { type Mentions, previewBeside } from "../shared/mentions-option.ts";
import { filesPart } from "../shared/outgoing.ts";
import type { Preview } from "../shared/preview-option.ts";
import { areHeard, meant, type ReactionsOption } from "../shared/reactions.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import { placeAddress, readAddress, type Visibility } from "./address.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { UNCHANGED } from "./changes.ts";
import { WORDS } from "./explain.ts";
import { Groups } from "./groups.ts";
import { ACK_WITHIN_MS } from "./limit.ts";
import { createNames } from "./names.ts";
import { type ParseOptions, parseSlack } from "./parse.ts";
import { probeSlack } from "./probe.ts";
import { renderReply } from "./render.ts";
import { allowedUrl, respond } from "./response-url.ts";
import { SHOWN_CHARS_MAX } from "./stream.ts";
import { NO_SURFACES, type SurfaceOptions, Surfaces, type Tell } from "./surfaces.ts";
import { createTenants, type Tenants, type TenantsOptions } from "./tenants.ts";
import type { ThreadLimits } from "./thread.ts";
import { screenSlack, verifySlack } from "./verify.ts";
import { createWorkspace, tenantIn, type Workspace, type WorkspaceOf } from "./workspace.ts";

export interface SlackOptions {
  /** One, or two while a secret is being changed; none where there is a socket: then nobody can post anything. */
  readonly signingSecrets: readonly Secret[];
  /** Absent: workspaces install the app themselves (`tenants`). */
  readonly botToken?: Secret;
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
  /** What is shown on the home tab and in the assistant's pane; nothing by default. */
  readonly surfaces?: SurfaceOptions;
  readonly forms?: readonly Form[];
  /** What emojis on our messages mean; nothing by default. */
  readonly reactions?: ReactionsOption;
  /** Where an answer is shown while it grows: everywhere that can be (default), in direct messages, or nowhere. */
  readonly preview?: Preview;
  /** Whether answers may name those whom they were shown; they may not by default. */
  readonly mentions?: Mentions;
  /** How much of a thread that the bot comes into is shown to the agent; none of it when absent. */
  readonly threadLimits?: ThreadLimits;
  /** Names are looked up, and kept there too; absent: ids stay. */
  readonly names?: { readonly kept: Kept | undefined };
  /** Makes the socket of Socket Mode, for payloads that are read so. */
  readonly socketOf?: (parsing: ParseOptions) => Socket;
  /** Somebody will call `learn`: until it has told whose token this is, nothing is taken to be ours. */
  readonly learns?: boolean;
  /** To which hosts answers may link; to any by default. */
  readonly linkHosts?: OpenContext["linkHosts"];
  readonly clock: Clock;
  /** For one call of the Web API. */
  readonly timeoutMs: number;
  /** Where workspaces may install the app themselves. */
  readonly oauth?: Pick<TenantsOptions, "oauth" | "features" | "publicUrl"> & {
    readonly kept: Kept | undefined;
  };
}

export interface SlackAdapter extends Adapter {
  /** Asks Slack once who we are. False: worth another try. */
  readonly learn: (signal: AbortSignal) => Promise<boolean>;
}

/** Throws CONFIG_INVALID: without a secret an adapter would let anyone in. */
export function createSlackAdapter(given: SlackOptions): SlackAdapter {
  const { mentions = "off" } = given;
  const options = { ...given, preview: previewBeside(mentions, given.preview ?? "on") };
  const { signingSecrets, commandReplies = "ephemeral", dmReplies = "thread", socketOf } = options;
  const isHeardOtherwise = socketOf !== undefined && signingSecrets.length === 0;
  if (
    (signingSecrets.length < 1 && !isHeardOtherwise) ||
    signingSecrets.length > 2 ||
    signingSecrets.some(isEmpty)
  )
    throw new GatewayError(
      "CONFIG_INVALID",
      `Expected one or two Slack signing secrets, none of them empty, got ${signingSecrets.length}`,
    );
  const { botToken, oauth } = options;
  if (botToken === undefined && oauth === undefined)
    throw new GatewayError("CONFIG_INVALID", "Expected a Slack bot token or an app to install, got neither");
  if (botToken !== undefined && isEmpty(botToken))
    throw new GatewayError("CONFIG_INVALID", "Expected a Slack bot token, got an empty one");
  if (options.apiUrl !== undefined && !/^https?:$/.test(URL.parse(options.apiUrl)?.protocol ?? ""))
    throw new GatewayError(
      "CONFIG_INVALID",
      "Expected the Slack API URL to be an http(s) URL, got something else",
    );

  const own =
    botToken === undefined
      ? null
      : createWorkspace({ ...options, botToken }, options.learns === true ? null : "any");
  // Without what is kept, it is only asked how it is.
  const kept = oauth?.kept;
  const tenants =
    oauth === undefined || kept === undefined ? null : createTenants({ ...options, ...oauth, kept });
  const of = workspaceOf(own, tenants);
  const { changes = UNCHANGED, appId } = options;
  // What it shows is said with our token, so only to those whose installation is ours.
  const callIn = (tenant: string) =>
    tenants !== null || own?.self.serves(tenant) === true ? of(tenant).call : null;
  /** Where something is said. Throws DeliveryError: with the token of one workspace nothing of another is said. */
  const ours = (to: ReplyAddress) => {
    const tenant = tenantIn(to);
    if (tenants === null && tenant !== null && own?.self.serves(tenant) === false)
      throw new DeliveryError("rejected", `SLACK_BOT_TOKEN is of another workspace than ${tenant}`);
    return of(tenant);
  };
  const groups = new Groups({ callIn, clock: options.clock });
  const surfaces = new Surfaces(options.surfaces ?? NO_SURFACES, callIn, tellThrough(options));
  const forms = {
    forms: new Forms(options.forms ?? []),
    open: (event: TriggerEvent, id: string, view: object) => surfaces.open(event, id, view),
  };
  const { reactions } = options;
  const reading = {
    commandReplies,
    dmReplies,
    selfIn: (tenant: string) => of(tenant).self,
    changes,
    appId,
    surfaces,
    forms,
    removed: tenants?.removed,
    reactions,
    groups,
  };
  const { threadLimits: limits, names } = options;
  return {
    platform: "slack",
    webhook: isHeardOtherwise ? null : WEBHOOK,
    ...(socketOf !== undefined && { socket: socketOf(reading) }),
    ignored: WORDS.ignored,
    screen: screenSlack,
    verify: (request) => verifySlack(request, signingSecrets),
    parse: (request) => parseSlack(request, reading),
    accepted: (event) => surfaces.accepted(event),
    render: (markdown, to, buttons, named) =>
      renderReply(markdown, to, buttons, named, options.linkHosts?.()),
    buttons: BUTTON_LIMITS,
    renderer: RENDERER,
    ...(reactions !== undefined && areHeard(reactions) && { reactions: meant(reactions) }),
    ...(mentions === "shown" && { mentions: true }),
    addressOf: placeAddress,
    send: async (delivery, signal, permit) => await ours(delivery.to).send(delivery, signal, permit),
    edit: async (receipt, delivery, signal, permit) =>
      await ours(delivery.to).edit(receipt, delivery, signal, permit),
    previewInMs: (to, isFirst) => of(tenantIn(to)).previewInMs(to, isFirst),
    shownCharsMax: SHOWN_CHARS_MAX,
    recover: async (delivery, signal) => await ours(delivery.to).recover(delivery, signal),
    typing: (to, signal) => of(tenantIn(to)).typing(to, signal),
    outgoing: OUTGOING,
    roles: groups,
    files: { open: (request) => of(request.event.tenant).files.open(request) },
    ...(limits !== undefined && { thread: threadsOf(limits, of) }),
    ...(names !== undefined && {
      names: createNames({ ...names, clock: options.clock, callIn: (tenant) => of(tenant).call }),
    }),
    serves({ tenant }) {
      const isOwn = own === null ? false : own.self.serves(tenant);
      return isOwn === false && tenants !== null ? tenants.serves(tenant) : isOwn;
    },
    ...(tenants !== null && { pages: tenants.pages, installations: tenants.keeper }),
    probe: async (signal) =>
      botToken === undefined ? [] : await probeSlack({ ...options, botToken, appToken: null }, signal),
    learn: async (signal) => own === null || (await own.self.learn(own.call, signal)),
  };
}

/** The one whose token is in the environment comes first, and takes what an older version has left without a name. */
function workspaceOf(own: Workspace | null, tenants: Tenants | null): WorkspaceOf {
  return (tenant) => {
    if (own !== null && (tenants === null || tenant === null || own.self.serves(tenant) !== false))
      return own;
    if (tenants === null) throw new Error("Expected a workspace, got none");
    return tenants.of(tenant ?? "");
  };
}

/** Through the `response_url` of what they did, seen by nobody else. */
function tellThrough({ apiUrl, timeoutMs, clock }: SlackOptions): Tell {
  return async (to, text) => {
    const address = readAddress(to);
    const url = address?.kind === "response_url" ? allowedUrl(address.url, apiUrl) : null;
    if (address?.kind !== "response_url" || url === null) return;
    const alone = { ...address, visibility: "ephemeral" } as const;
    await respond(url, alone, { text, blocks: [] }, { timeoutMs, clock, signal: UNSTOPPED });
  };
}

/** Slack takes far more; a message with more files than these is hard to look at. */
const OUTGOING: OutgoingFiles = {
  bytesMax: 1024 ** 3,
  filesMax: 10,
  messageBytesMax: 1024 ** 3,
  render: filesPart,
};

const WEBHOOK: WebhookSpec = {
  // One address does for all; the others are those that many an app has from elsewhere.
  paths: ["", "/commands", "/interactions"],
  methods: ["POST"],
  // As Slack's own framework: forms with blocks can be large.
  bytesMax: LARGEST_BODY_BYTES_MAX,
  ackWithinMs: ACK_WITHIN_MS,
};
const RENDERER = besideModule(import.meta.url, "render");

function threadsOf({ waitMs }: ThreadLimits, of: WorkspaceOf): ThreadReader {
  return {
    waitMs,
    read: async (event, signal) =>
      (await of(event.tenant).thread?.read(event, signal)) ?? { items: [], isWhole: false },
  };
}

function isEmpty(secret: Secret): boolean {
  return secret.reveal() === "";
}
