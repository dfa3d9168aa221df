import { type FileView, type FileViews, NO_FILES } from "../domain/attachment.ts";
import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Turn } from "../domain/run.ts";
import { theirWords } from "../domain/text.ts";
import type { Message } from "../ports/model.ts";
import { ATTACHMENTS_MAX } from "./bounds.ts";
import { contextText } from "./context.ts";
import { fileText } from "./files.ts";
import { estimateTokens } from "./tokens.ts";
import { amongOthers, ourLine, quotedLabel, speaker } from "./voice.ts";

/*
 * What of an event the model is shown, and the same for memory: what it refers to, then the files that came with it
 * and the command or button that it is, and last what the person wrote.
 */

type Heard = Pick<TriggerEvent, "isDirect" | "sender" | "trigger" | "command" | "text" | "attachments"> &
  Partial<Pick<TriggerEvent, "context" | "pressed">>;

export function eventMessages(
  event: Heard,
  earlier: readonly ContextItem[],
  tokensMax: number,
  files: FileViews = NO_FILES,
): Message[] {
  const who = event.isDirect ? {} : { name: speaker(event.sender.name) };
  const context = contextText(contextOf(event, earlier), tokensMax, files);
  const leftTokens = context === "" ? tokensMax : tokensMax - estimateTokens(context);
  const said = saidParts(event, files, leftTokens).map((text) => ({ role: "user" as const, text, ...who }));
  const views = viewsOf(event, earlier, files);
  const pictures = views.filter((view) => view.kind === "image");
  const pdfs = views.filter((view) => view.kind === "pdf");
  const [first, ...rest] = said;
  return [
    ...(context === "" ? [] : [{ role: "user" as const, text: context }]),
    ...(first === undefined
      ? []
      : [{ ...first, ...(pictures.length > 0 && { pictures }), ...(pdfs.length > 0 && { pdfs }) }]),
    ...rest,
  ];
}

/** Of one turn of memory: how much of what its files hold is kept with it. */
const REMEMBERED_TOKENS = 20_000;

/** The turn of the person as memory keeps it; what it refers to is a turn of its own, of nobody. */
export function rememberedTurns(
  event: Heard & { occurredAtMs: number },
  earlier: readonly ContextItem[],
  files: FileViews = NO_FILES,
): Turn[] {
  const atMs = event.occurredAtMs;
  const context = contextText(contextOf(event, earlier), Number.POSITIVE_INFINITY, files);
  const said = saidParts(event, files, REMEMBERED_TOKENS);
  return [
    ...(context === "" ? [] : [{ role: "user" as const, name: null, text: context, atMs }]),
    { role: "user", name: event.sender.name, text: said.join("\n"), atMs },
  ];
}

/** Of all that it brings and refers to, once each. */
function viewsOf(event: Heard, earlier: readonly ContextItem[], files: FileViews): readonly FileView[] {
  if (files.size === 0) return [];
  const all = [...contextOf(event, earlier).flatMap(({ attachments }) => attachments), ...event.attachments];
  return [...new Set(all.map(({ id }) => id))].flatMap((id) => {
    const view = files.get(id);
    return view === undefined ? [] : [view];
  });
}

function contextOf(event: Heard, earlier: readonly ContextItem[]): readonly ContextItem[] {
  return [...earlier, ...(event.context ?? [])];
}

/** What came with the words, then the words themselves, so that the last is what the person wrote. Never empty. */
function saidParts(event: Heard, views: FileViews, tokensMax: number): string[] {
  let leftTokens = tokensMax;
  const files = event.attachments.slice(0, ATTACHMENTS_MAX).map((file) => {
    const text = fileText(file, views, leftTokens);
    leftTokens -= estimateTokens(text);
    return text;
  });
  // Of a command for a message, the text is that message's, which is shown as such.
  const own = event.context?.some(({ kind }) => kind === "target") ? "" : event.text;
  const text = theirWords(own.trim() === "" ? wordless(event) : own);
  const words = event.isDirect ? text : amongOthers(text);
  const before = [...files, ...howSaid(event, own)].join("\n");
  const parts = [before, words].filter((part) => part !== "");
  return parts.length === 0 ? ["(no text)"] : parts;
}

/** Of a press or a command without words, its name stands for them. */
function wordless({ command, pressed }: Heard): string {
  return pressed?.label ?? command ?? "";
}

/** By what means, where it was more than writing: which command, which button. */
function howSaid({ trigger, command, pressed }: Heard, words: string): string[] {
  if (trigger === "button") return [ourLine(pressLine(command, pressed))];
  return command === null || words.trim() === "" ? [] : [ourLine(`command ${quotedLabel(command)}`)];
}

function pressLine(command: string | null, pressed: TriggerEvent["pressed"]): string {
  const what = { button: "pressed the button", choice: "chose", form: "sent the form" }[
    pressed?.kind ?? "button"
  ];
  const label = pressed?.label ?? null;
  const name = command === null ? "" : quotedLabel(command);
  if (label === null) return `${what} ${name}`.trim();
  return `${what} ${quotedLabel(label)}${name === "" || command === label ? "" : ` (${name})`}`;
}
