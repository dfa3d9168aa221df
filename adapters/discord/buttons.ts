import type { Button, ButtonLimits } from "../../src/domain/button.ts";
import type { JsonObject } from "../../src/shared/json.ts";

/** A message has five rows at most, each of five. */
export const BUTTON_LIMITS: ButtonLimits = { buttonsMax: 25, labelCharsMax: 80 };
const ROW_MAX = 5;

const ROW = 1;
const BUTTON = 2;
const STYLES = { primary: 1, danger: 4 } as const;
const PLAIN = 2;

/** Empty: the message has no buttons (any more). */
export function componentsFor(buttons: readonly Button[]): readonly JsonObject[] {
  const rows = Array.from({ length: Math.ceil(buttons.length / ROW_MAX) }, (_, row) =>
    buttons.slice(row * ROW_MAX, (row + 1) * ROW_MAX),
  );
  return rows.map((row) => ({ type: ROW, components: row.map(componentFor) }));
}

function componentFor({ id, label, style }: Button): JsonObject {
  return { type: BUTTON, style: style === undefined ? PLAIN : STYLES[style], label, custom_id: id };
}
