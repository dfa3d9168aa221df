import type { Button, ButtonLimits } from "../../src/domain/button.ts";

/** Telegram names no limit of a label; more than this is not seen on a telephone. */
export const BUTTON_LIMITS: ButtonLimits = { buttonsMax: 25, labelCharsMax: 64 };
/** All labels of a row together; what does not fit is cut by the app. */
const ROW_CHARS_MAX = 32;
const ROW_MAX = 3;

export interface InlineKeyboard {
  readonly inline_keyboard: readonly (readonly { readonly text: string; readonly callback_data: string }[])[];
}

/** No rows: the message has no buttons (any more). */
export function keyboardFor(buttons: readonly Button[]): InlineKeyboard {
  const all = buttons.map(({ id, label }) => ({ text: label, callback_data: id }));
  const chars = all.reduce((sum, { text }) => sum + text.length, 0);
  const isRow = all.length <= ROW_MAX && chars <= ROW_CHARS_MAX;
  return { inline_keyboard: all.length === 0 ? [] : isRow ? [all] : all.map((one) => [one]) };
}
