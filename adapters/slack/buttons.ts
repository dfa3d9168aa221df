import type { Button, ButtonLimits } from "../../src/domain/button.ts";
import type { JsonObject } from "../../src/shared/json.ts";

/** An `actions` block has 25 elements at most, the label of a button 75 characters. */
export const BUTTON_LIMITS: ButtonLimits = { buttonsMax: 25, labelCharsMax: 75 };
/** A section holds 3,000; the rest is for what is said of a repetition. */
export const SECTION_CHARS_MAX = 2_900;

/** What is shown in place of `text`, which then is for notifications alone. Empty: the text is shown, and no buttons. */
export function blocksFor(
  text: string,
  buttons: readonly Button[],
  blocks: readonly JsonObject[] = [],
): readonly JsonObject[] {
  if (buttons.length === 0) return blocks;
  return [
    ...(blocks.length > 0 ? blocks : [{ type: "section", text: { type: "mrkdwn", text } }]),
    { type: "actions", elements: buttons.map(elementFor) },
  ];
}

function elementFor({ id, label, style }: Button): JsonObject {
  return {
    type: "button",
    action_id: id,
    // No mrkdwn: nothing in it is a mention, and colons are colons.
    text: { type: "plain_text", text: label, emoji: false },
    value: label,
    ...(style && { style }),
  };
}
