import { BUTTON_ID_BYTES_MAX, BUTTONS_MAX } from "../../src/domain/bounds.ts";
import type { Button, ButtonLimits } from "../../src/domain/button.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, getArray, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";

/** Those that the platform takes, each with a label that fits, and no two with the same one: some platforms refuse that. */
export function fitting(buttons: readonly Button[], { buttonsMax, labelCharsMax }: ButtonLimits): Button[] {
  const fit: Button[] = [];
  const labels = new Set<string>();
  const ids = new Set<string>();
  for (const button of buttons.slice(0, BUTTONS_MAX)) {
    if (fit.length >= buttonsMax) break;
    if (!isId(button.id) || ids.has(button.id)) continue;
    const label = unlike(labels, plain(button.label) || button.id, labelCharsMax);
    ids.add(button.id);
    labels.add(label);
    fit.push({ ...button, label });
  }
  return fit;
}

/** Buttons stand below the last part. */
export function belowLast<Part extends object>(
  parts: readonly Part[],
  buttons: readonly Button[],
): readonly (Part & { readonly buttons?: readonly Button[] })[] {
  if (buttons.length === 0) return parts;
  return parts.map((part, index) => (index === parts.length - 1 ? { ...part, buttons } : part));
}

/** Those that stand below a part that an adapter rendered; none for any other. */
export function buttonsOf(part: ReplyPart): readonly Button[] {
  const parsed = parseJsonObject(part);
  return parsed.ok ? buttonsIn(parsed.value) : [];
}

/** The same, of a part that was parsed. */
export function buttonsIn(part: JsonObject): readonly Button[] {
  return getArray(part, "buttons").flatMap((one) => {
    const [id, label, style] = [getString(one, "id"), getString(one, "label"), get(one, "style")];
    if (id === undefined || label === undefined) return [];
    return [{ id, label, ...((style === "primary" || style === "danger") && { style }) }];
  });
}

function isId(id: string): boolean {
  return id !== "" && id.isWellFormed() && Buffer.byteLength(id) <= BUTTON_ID_BYTES_MAX;
}

/** On one line, without what is not seen but turns letters round. */
function plain(label: string): string {
  return label
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim();
}

function unlike(taken: ReadonlySet<string>, label: string, charsMax: number): string {
  const short = cut(label, charsMax);
  if (!taken.has(short)) return short;
  for (let number = 2; ; number++) {
    const numbered = `${cut(label, charsMax - ` ${number}`.length)} ${number}`;
    if (!taken.has(numbered)) return numbered;
  }
}

function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  let short = "";
  // By what people take for one character, so that none is cut through.
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, charsMax * 2))) {
    if (short.length + segment.length > charsMax - 1) break;
    short += segment;
  }
  return `${short.trimEnd()}…`;
}
