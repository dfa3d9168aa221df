import { GatewayError } from "../../src/domain/errors.ts";
import {
  type Adapter,
  type OutgoingFiles,
  PLAIN_WEBHOOK,
  type WebhookSpec,
} from "../../src/ports/adapter.ts";
import type { Clock, Random } from "../../src/ports/clock.ts";
import type { Kept, OpenContext } from "../../src/ports/platform.ts";
import { besideModule } from "../../src/shared/beside.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { type Form, Forms } from "../shared/forms.ts";
import { type Mentions, previewBeside } from "../shared/mentions-option.ts";
import { filesPart } from "../shared/outgoing.ts";
import type { Preview } from "../shared/preview-option.ts";
import { areHeard, meant, type ReactionsOption } from "../shared/reactions.ts";
import { placeAddress, textAddress } from "./address.ts";
import { createRest } from "./api.ts";
import { BUTTON_LIMITS } from "./buttons.ts";
import { Channels } from "./channels.ts";
import { Choices, type ChoicesOptions, NO_CHOICES } from "./choices.ts";
import { createFileReader } from "./downloads.ts";
import { createEditor } from "./edit.ts";
import { withEmbeds } from "./embedding.ts";
import { WORDS } from "./explain.ts";
import { createGateway, type GatewayOptions } from "./gateway/listen.ts";
import { Interactions } from "./interactions.ts";
import { createNames } from "./names.ts";
import { parseDiscord } from "./parse.ts";
import { probeDiscord } from "./probe.ts";
import { renderReply } from "./render.ts";
import { createClient } from "./send.ts";
import { showTyping } from "./typing.ts";
import { createVerifier, screenDiscord, UNKNOWN } from "./verify.ts";

export interface DiscordOptions {
  /** The application's public key in hex; two while one replaces the other. None: there is no webhook. */
  readonly publicKeys: readonly string[];
  /** Without it an interaction that is over can no longer be answered. */
  readonly botToken: Secret | null;
  /** When given, interactions of any other application are ignored. */
  readonly applicationId?: string;
  /** Where the API is, for tests and proxies: `http://127.0.0.1:9/api`. The version is added. */
  readonly apiUrl?: string;
  /** Where this gateway is reached; null or absent: not said. */
  readonly publicUrl?: string | null;
  /** Where an answer is shown while it grows: everywhere (default), in direct messages, or nowhere. */
  readonly preview?: Preview;
  /** Whether answers may name those whom they were shown; they may not by default. */
  readonly mentions?: Mentions;
  /** Names are looked up, and kept there too, where there is a bot; absent: ids stay. */
  readonly names?: { readonly kept: Kept | undefined };
  /** What tables of an answer are; text by default. */
  readonly structured?: "text" | "embeds";
  /** Who sees the answer to a command; everyone by default. */
  readonly commandReplies?: "in_channel" | "ephemeral";
  /** What is offered while somebody fills in a command; nothing by default. */
  readonly autocomplete?: ChoicesOptions;
  readonly forms?: readonly Form[];
  /** What emojis on our messages mean, where the Gateway tells of them; nothing by default. */
  readonly reactions?: ReactionsOption;
  /** How what is merely written is heard; not at all when absent. */
  readonly gateway?: { readonly clock: Clock } & Pick<GatewayOptions, "replies" | "changes">;
  /** To which hosts answers may link; to any by default. */
  readonly linkHosts?: OpenContext["linkHosts"];
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  /** For one call to Discord, from connecting to the last byte. */
  readonly timeoutMs: number;
  readonly random: Random;
}

/**
 * Discord's interactions endpoint, and its Gateway. Throws CONFIG_INVALID when a key is wrong, or there is no way in at all:
 * nothing unverified may be served.
 */
export function createDiscordAdapter(options: DiscordOptions): Adapter {
  const apiUrl = options.apiUrl ?? "https://discord.com/api";
  checkOptions(options, apiUrl);
  const { clock, random, mentions = "off" } = options;
  const preview = previewBeside(mentions, options.preview ?? "on");
  const interactions = new Interactions(clock);
  const choices = new Choices(options.autocomplete ?? NO_CHOICES);
  const forms = new Forms(options.forms ?? []);
  const embeds = options.structured === "embeds";
  const reading = { choices, forms, embeds, commandReplies: options.commandReplies ?? "in_channel" } as const;
  const rest = withEmbeds(createRest({ ...options, apiUrl }), clock);
  const channels = new Channels(rest, clock);
  const calling = { rest, clock, random, interactions, channels };
  const { send, recover } = createClient(calling);
  const { botToken, gateway, applicationId = "", publicKeys } = options;
  const isHeard = botToken !== null && gateway !== undefined;
  const reactions =
    isHeard && options.reactions !== undefined && areHeard(options.reactions) ? options.reactions : undefined;
  const isPosted = publicKeys.length > 0 || !isHeard;
  return {
    platform: "discord",
    webhook: isPosted ? WEBHOOK : null,
    ...(isHeard && {
      socket: createGateway({
        rest,
        apiUrl,
        random,
        ...gateway,
        botToken,
        applicationId,
        reading,
        reactions,
      }),
    }),
    ignored: WORDS.ignored,
    screen: screenDiscord,
    verify: isPosted ? createVerifier(publicKeys) : () => UNKNOWN,
    parse: (request) => parseDiscord(request, applicationId, reading),
    accepted: (event) => choices.accepted(event),
    render: (markdown, to, buttons, named) =>
      renderReply(markdown, to, buttons, named, options.linkHosts?.()),
    buttons: BUTTON_LIMITS,
    addressOf: (place) => placeAddress(place, embeds),
    growingAt: textAddress,
    renderer: RENDERER,
    ...(reactions !== undefined && { reactions: meant(reactions) }),
    ...(mentions === "shown" && { mentions: true }),
    ...(botToken !== null &&
      options.names !== undefined && { names: createNames({ ...options.names, rest, clock }) }),
    probe: (signal) =>
      probeDiscord(
        { publicUrl: null, ...options, apiUrl, applicationId: options.applicationId, isHeard },
        signal,
      ),
    invalidRequests: () => rest.invalidRequests(),
    files: createFileReader({ apiUrl, clock, rest }),
    outgoing: OUTGOING,
    typing: (to, signal) => showTyping(to, { rest, clock, signal }),
    recover,
    ...createEditor(send, { ...calling, preview }),
  };
}

function checkOptions({ botToken }: DiscordOptions, apiUrl: string): void {
  if (botToken?.reveal() === "") {
    throw new GatewayError("CONFIG_INVALID", "Expected a Discord bot token, got an empty one");
  }
  if (!/^https?:$/.test(URL.parse(apiUrl)?.protocol ?? "")) {
    throw new GatewayError("CONFIG_INVALID", "Expected the Discord API address to be an http or https URL");
  }
}

/** Of a server that nobody has boosted. */
const OUTGOING: OutgoingFiles = {
  bytesMax: 10 * 1024 * 1024,
  filesMax: 10,
  messageBytesMax: 24 * 1024 * 1024,
  render: filesPart,
};

/** Later, nothing that the interaction began can be answered. */
const WEBHOOK: WebhookSpec = { ...PLAIN_WEBHOOK, ackWithinMs: 3_000 };
const RENDERER = besideModule(import.meta.url, "render");
