/** Something that can be pressed below a reply. Where it cannot be shown, the words of the reply must do without it. */
export interface Button {
  /** Comes back as the command of the event when it is pressed; at most `BUTTON_ID_BYTES_MAX` in UTF-8. */
  readonly id: string;
  /** Untrusted: what a person reads on it. No markup anywhere. */
  readonly label: string;
  /** Where the platform has colours; absent: as any other. */
  readonly style?: "primary" | "danger";
}

const DECISION = /^(approve|deny):(apr_\w{1,50})$/;

/** For a question of an agent. */
export function decisionButtons(approvalId: string): readonly Button[] {
  return [
    { id: `approve:${approvalId}`, label: "Approve", style: "primary" },
    { id: `deny:${approvalId}`, label: "Deny", style: "danger" },
  ];
}

/** What a press of one of these says; null: it is another button. */
export function pressedDecision(
  buttonId: string | null,
): { readonly command: "approve" | "deny"; readonly approvalId: string } | null {
  const [, command, approvalId] = DECISION.exec(buttonId ?? "") ?? [];
  if (approvalId === undefined) return null;
  return { command: command === "deny" ? "deny" : "approve", approvalId };
}
