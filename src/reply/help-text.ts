import { code, codeOf } from "./code.ts";

/** One line of what somebody may say. */
export interface HelpLine {
  /** `/deploy` */
  readonly command: string;
  readonly usage?: string;
  readonly aliases?: readonly string[];
  /** What it does, as the operator has written it; null: only who answers it is known. */
  readonly what: string | null;
  /** Null: whoever answers anything else. */
  readonly agent: string | null;
}

export interface Help {
  /** Of the configuration, those that whoever asks may use there. */
  readonly commands: readonly HelpLine[];
  /** Whether there is more than one agent to choose. */
  readonly hasAgents: boolean;
}

const SHOWN = 100;

/** What a person can say here. */
export function helpText({ commands, hasAgents }: Help): string {
  const lines = commands.slice(0, SHOWN).map(lineOf);
  if (commands.length > SHOWN) lines.push(`- and ${commands.length - SHOWN} more`);
  return [
    INTRODUCTION,
    ...(lines.length === 0 ? [] : [`Commands here:\n\n${lines.join("\n")}`]),
    [
      ...(lines.length === 0 ? [] : ["And always:", ""]),
      ...ALWAYS.filter((line) => hasAgents || line !== AGENT),
    ].join("\n"),
    WITHOUT_SLASH,
  ].join("\n\n");
}

function lineOf({ command, usage, aliases = [], what, agent }: HelpLine): string {
  const also = aliases.length === 0 ? "" : ` (also ${aliases.map(code).join(", ")})`;
  const says = what ?? (agent === null ? "" : `asks **${agent}**`);
  return `- ${codeOf(usage === undefined ? command : `${command} ${usage}`)}${also}${says === "" ? "" : `: ${says}`}`;
}

const INTRODUCTION =
  "Write to me, mention me in a channel or use a command, and I will answer. In a thread that I take part in you need not mention me.";
const AGENT =
  "- `/agent`: who answers here, and who else can; `/agent NAME` chooses another, `/agent default` goes back, and `@NAME: …` asks one once";
const ALWAYS = [
  "- `/help`: this text",
  "- `/status`: which agent answers here, and whether it is busy",
  AGENT,
  "- `/reset`: forget this conversation",
  "- `/notes`: what is noted about you and this channel for later; `/notes erase all` erases it",
  "- `/usage`: what you have spent here today; `/usage 2026-11-29` on another day",
  "- `/stop`: stop what I am doing here",
  "- `/approve`, `/deny`: decide what I have asked; the question has its id, and `/deny` may have a reason",
];
const WITHOUT_SLASH =
  "Where slash commands are not available, write `!help`, `!status`, `!agent`, `!reset`, `!notes`, `!usage`, `!stop`, `!approve` or `!deny` as a message.";
