import { pressedAgent, pressedDecision } from "./button.ts";
import type { TriggerEvent } from "./event.ts";

export const CONTROL_COMMANDS = [
  "help",
  "status",
  "reset",
  "stop",
  "approve",
  "deny",
  "agent",
  "notes",
  "usage",
] as const;
export type ControlCommand = (typeof CONTROL_COMMANDS)[number];

/** Name of the command that carries the others where a platform wants one command per app: `/parley stop`. */
export const CARRIER = "parley";

/**
 * A command to the gateway itself, or null. Understood as a slash or bot command (`/stop`, `/parley stop`),
 * and as a message that is nothing else (`!stop`, `/stop`), for platforms and rooms without slash commands. Of buttons only
 * those that decide a question are commands.
 */
export function controlCommandOf(event: Said): ControlCommand | null {
  const decision = decisionIn(event);
  if (decision !== null) return decision.command;
  if (agentWordIn(event) !== null) return "agent";
  if (notesWordIn(event) !== null) return "notes";
  if (usageDayIn(event) !== null) return "usage";
  if (event.trigger === "button") return null;
  if (event.trigger === "command" && event.command !== null) {
    const words = event.command.replace(/^\//, "").split(" ");
    if (words[0] === CARRIER)
      return (
        asControl(words[1] ?? event.text.trim()) ??
        (words.length === 1 && event.text.trim() === "" ? "help" : null)
      );
    // `/ask !stop`: where an app has one command only, which is not ours to name.
    return words.length === 1 ? (asControl(words[0]) ?? saidControl(event.text, /^!(\w+)$/)) : null;
  }
  return saidControl(event.text, /^[!/](\w+)$/);
}

type Said = Pick<TriggerEvent, "trigger" | "command" | "text">;

/** A word on a question of an agent: `/approve`, `/deny apr_1 too risky`, `!deny no`, or a press below it. */
export interface DecisionCommand {
  readonly command: "approve" | "deny";
  /** Null: the one that is open. */
  readonly approvalId: string | null;
  readonly reason: string | null;
  /** `/approve apr_1 always`: also the calls to come. */
  readonly isAlways: boolean;
  /** `/approve apr_1 2`: of the answers that the question has, from 1; null: none is named. */
  readonly choice: number | null;
}

const APPROVAL_ID = /^apr_\w{1,60}$/;

/** Null where the command is none of these two. */
export function decisionIn({ trigger, command, text }: Said): DecisionCommand | null {
  if (trigger === "button") {
    const pressed = pressedDecision(command);
    return pressed && { ...pressed, reason: null };
  }
  const words = command?.replace(/^\//, "").split(" ") ?? [];
  // `/approve apr_1` as a command of the platform, of which the text is what came after it.
  if (trigger === "command" && words[0] !== CARRIER && words.length === 1 && isDecision(words[0]))
    return decisionOf(words[0], text);
  if (trigger === "command" && words[0] === CARRIER) {
    const said = [...words.slice(1), text].join(" ").trim();
    const [, verb, rest = ""] = /^(\w+)\s*(.*)$/s.exec(said) ?? [];
    return isDecision(verb) ? decisionOf(verb, rest) : null;
  }
  const [, verb, rest = ""] = /^[!/](\w+)(?:\s+(.*))?$/s.exec(text.trim()) ?? [];
  if (!isDecision(verb)) return null;
  // `!approve of it?` is talk.
  const isTalk =
    verb.toLowerCase() === "approve" && rest !== "" && decisionOf(verb, rest).approvalId === null;
  return isTalk ? null : decisionOf(verb, rest);
}

function isDecision(word: string | undefined): word is string {
  const lower = word?.toLowerCase();
  return lower === "approve" || lower === "deny";
}

function decisionOf(verb: string, rest: string): DecisionCommand {
  const [first = "", ...others] = rest.trim().split(/\s+/);
  const approvalId = APPROVAL_ID.test(first) ? first : null;
  const reason = (approvalId === null ? [first, ...others] : others).join(" ");
  const command = verb.toLowerCase() === "deny" ? "deny" : "approve";
  const isAlways = command === "approve" && approvalId !== null && /^always$/i.test(reason);
  const isChoice = command === "approve" && approvalId !== null && /^[1-9]\d?$/.test(reason);
  const choice = isChoice ? Number(reason) : null;
  return {
    command,
    approvalId,
    reason: command === "deny" && reason !== "" ? reason : null,
    isAlways,
    choice,
  };
}

/** What stands behind `/agent`: a name, or nothing (`""`) where it asks who answers; null: it is another command, or none. */
export function agentWordIn({ trigger, command, text }: Said): string | null {
  if (trigger === "button") return pressedAgent(command);
  const words = command?.replace(/^\//, "").split(" ") ?? [];
  if (trigger === "command" && words[0] === CARRIER)
    return wordAfter(/^agent(?:\s+(\S+))?$/i, [...words.slice(1), text].join(" "));
  if (trigger === "command" && words.length === 1 && words[0]?.toLowerCase() === "agent")
    return wordAfter(/^(\S*)$/, text);
  // `/ask !agent ops`; a message also with a slash.
  const shape = trigger === "command" ? /^!agent(?:\s+(\S+))?$/i : /^[!/]agent(?:\s+(\S+))?$/i;
  return trigger === "command" && words.length > 1 ? null : wordAfter(shape, text);
}

/** Which notes `/notes erase all` or `/notes erase 1a2b3c4d` erases; `""`: they are to be shown; null: it is another command, or none. */
export function notesWordIn(event: Said): string | null {
  return wordIn(event, /^notes(?:\s+(?:erase\s+)?(all|[0-9a-f]{8}))?$/i);
}

/** The day that `/usage 2026-11-29` asks about; `""`: today; null: it is another command, or none, or says no day. */
export function usageDayIn(event: Said): string | null {
  return wordIn(event, /^usage(?:\s+(\d{4}-\d\d-\d\d))?$/i);
}

function wordIn({ trigger, command, text }: Said, shape: RegExp): string | null {
  if (trigger === "button") return null;
  const words = command?.replace(/^\//, "").split(" ") ?? [];
  if (trigger !== "command") return /^[!/]/.test(text.trim()) ? wordAfter(shape, text.trim().slice(1)) : null;
  if (words[0] === CARRIER) return wordAfter(shape, [...words.slice(1), text].join(" "));
  return words.length === 1 ? (wordAfter(shape, `${words[0]} ${text}`) ?? saidWithin(text, shape)) : null;
}

function saidWithin(text: string, shape: RegExp): string | null {
  return text.trim().startsWith("!") ? wordAfter(shape, text.trim().slice(1)) : null;
}

function wordAfter(shape: RegExp, said: string): string | null {
  const found = shape.exec(said.trim());
  return found === null ? null : (found[1] ?? "");
}

function saidControl(text: string, shape: RegExp): ControlCommand | null {
  return asControl(shape.exec(text.trim())?.[1]);
}

function asControl(word: string | undefined): ControlCommand | null {
  const lower = word?.toLowerCase();
  return CONTROL_COMMANDS.find((command) => command === lower) ?? null;
}

/** The lane of commands that overtake what they are about. */
export function controlLane(conversation: string): string {
  return `${conversation}!control`;
}

/** Those that must not wait for the run that they are about. */
export function overtakes(command: ControlCommand): boolean {
  return command !== "reset" && command !== "agent";
}
