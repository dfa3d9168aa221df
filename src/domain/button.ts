import { BUTTON_ID_BYTES_MAX } from "./bounds.ts";

/** Something that can be pressed below a reply. Where it cannot be shown, the words of the reply must do without it. */
export interface Button {
  /** Comes back as the command of the event when it is pressed; at most `BUTTON_ID_BYTES_MAX` in UTF-8. */
  readonly id: string;
  /** Untrusted: what a person reads on it. No markup anywhere. */
  readonly label: string;
  /** Where the platform has colours; absent: as any other. */
  readonly style?: "primary" | "danger";
}

/** What a platform takes below one message. */
export interface ButtonLimits {
  readonly buttonsMax: number;
  /** In UTF-16 units, which are never fewer than what a platform counts. */
  readonly labelCharsMax: number;
}

const DECISION = /^(approve|deny|always):(apr_\w{1,50})(?::([1-9]\d?))?$/;

/** For a question of an agent. `isLasting`: it may also be answered for the calls to come. */
export function decisionButtons(approvalId: string, isLasting = false): readonly Button[] {
  return [
    { id: `approve:${approvalId}`, label: "Approve", style: "primary" },
    ...(isLasting ? [{ id: `always:${approvalId}`, label: "Always here" }] : []),
    { id: `deny:${approvalId}`, label: "Deny", style: "danger" },
  ];
}

/** For a question with answers of its own. */
export function answerButtons(approvalId: string, answers: readonly string[]): readonly Button[] {
  return answers.map((label, index) => ({ id: `approve:${approvalId}:${index + 1}`, label }));
}

const AGENT = "agent:";

/** A menu of agents. Names that are too long for a button are in the words beside it. */
export function agentButtons(names: readonly string[]): readonly Button[] {
  return names
    .map((label) => ({ id: AGENT + label, label }))
    .filter(({ id }) => id.length <= BUTTON_ID_BYTES_MAX);
}

/** Null: it is another button. */
export function pressedAgent(buttonId: string | null): string | null {
  return buttonId?.startsWith(AGENT) ? buttonId.slice(AGENT.length) : null;
}

/** What a press of one of these says; null: it is another button. */
export function pressedDecision(buttonId: string | null): {
  readonly command: "approve" | "deny";
  readonly approvalId: string;
  readonly isAlways: boolean;
  readonly choice: number | null;
} | null {
  const [, command, approvalId, choice] = DECISION.exec(buttonId ?? "") ?? [];
  if (approvalId === undefined) return null;
  return {
    command: command === "deny" ? "deny" : "approve",
    approvalId,
    isAlways: command === "always",
    choice: choice === undefined ? null : Number(choice),
  };
}
