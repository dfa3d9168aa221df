import { areHeard } from "../shared/reactions.ts";
import type { SlackOptions, SlackSettings } from "./settings.ts";

/** What an installation is set up for, as far as its app has to know. */
export interface Configured {
  readonly options: SlackOptions;
  /** Slack is heard over connections of our own. */
  readonly isSocketMode: boolean;
  /** Workspaces install the app themselves. */
  readonly isInstallable: boolean;
  /** Rules go by user groups. */
  readonly goesByGroups: boolean;
}

/** What people can do with the bot, and what its app needs for that. */
export interface Feature {
  /** After "cannot", where a scope of it is missing. */
  readonly words: string;
  readonly scopes: readonly string[];
  readonly events: readonly string[];
  /** Absent: always. */
  readonly isOn?: (configured: Configured) => boolean;
  /** Without it the bot says nothing. */
  readonly isVital?: true;
}

/** The one list that the manifest, the scopes of an installation, what doctor misses and the documentation come from. */
export const FEATURES: readonly Feature[] = [
  { words: "answer, or show that it works", scopes: ["chat:write"], events: [], isVital: true },
  { words: "hear when it is named in a channel", scopes: ["app_mentions:read"], events: ["app_mention"] },
  {
    words: "follow a thread in a channel, or look for a reply that is in doubt there",
    scopes: ["channels:history"],
    events: ["message.channels"],
  },
  {
    words: "follow a thread in a private channel, or look for a reply that is in doubt there",
    scopes: ["groups:history"],
    events: ["message.groups"],
  },
  { words: "take direct messages", scopes: ["im:history"], events: ["message.im"] },
  { words: "take part in group messages", scopes: ["mpim:history"], events: ["message.mpim"] },
  { words: "take commands or shortcuts", scopes: ["commands"], events: [] },
  { words: "read files", scopes: ["files:read"], events: [] },
  { words: "give a long answer as a file", scopes: ["files:write"], events: [] },
  {
    words: "fill its home tab",
    scopes: [],
    events: ["app_home_opened"],
    isOn: ({ options }) => options.home.show === "on",
  },
  {
    words:
      "offer prompts in the assistant's pane, title its threads, or see which channel stands beside them",
    scopes: ["assistant:write"],
    events: ["assistant_thread_started", "assistant_thread_context_changed"],
    isOn: ({ options }) => isPaneOn(options),
  },
  {
    words: "learn how people, channels and groups are called",
    scopes: ["users:read", "channels:read", "groups:read", "usergroups:read"],
    events: [],
    isOn: ({ options }) => options.names === "on",
  },
  {
    words: "go by the user groups that people are in",
    scopes: ["usergroups:read"],
    events: ["subteam_members_changed", "subteam_updated"],
    isOn: ({ goesByGroups }) => goesByGroups,
  },
  {
    words: "hear of reactions",
    scopes: ["reactions:read"],
    events: ["reaction_added", "reaction_removed"],
    isOn: ({ options }) => areHeard(options.reactions),
  },
  { words: "hear that it was removed", scopes: [], events: ["app_uninstalled", "tokens_revoked"] },
];

export function isPaneOn({ assistant: { pane, prompts } }: SlackOptions): boolean {
  return pane === "on" || (pane === "auto" && prompts.length > 0);
}

export function configuredBy(
  { appToken, oauth }: Pick<SlackSettings, "appToken" | "oauth">,
  options: SlackOptions,
  goesByGroups: boolean,
): Configured {
  return { options, isSocketMode: appToken !== null, isInstallable: oauth !== null, goesByGroups };
}

export function featuresOf(configured: Configured): readonly Feature[] {
  return FEATURES.filter(({ isOn }) => isOn?.(configured) ?? true);
}

export function scopesOf(features: readonly Feature[]): readonly string[] {
  return [...new Set(features.flatMap(({ scopes }) => scopes))];
}

export function eventsOf(features: readonly Feature[]): readonly string[] {
  return [...new Set(features.flatMap(({ events }) => events))];
}
