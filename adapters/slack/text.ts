import { MENTIONS_MAX, type Mention, mentionKey } from "../../src/domain/mention.ts";

const ENTITY = /<([^<>]*)>|&(?:amp|lt|gt);/g;
const ESCAPES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };

/**
 * What a person typed, from what Slack makes of it: `<@U1|ann>` to `@ann`, `<https://x|label>` to `label (https://x)`,
 * `&lt;` to `<`. Mentions of the bot are left out. One pass, linear in the length.
 */
export function readableText(text: string, botIds: ReadonlySet<string>): string {
  const readable = text.replace(ENTITY, (match: string, entity: string | undefined) => {
    if (entity === undefined) return ESCAPES[match] ?? match;
    if (entity.startsWith("@") && botIds.has(splitLabel(entity)[0].slice(1))) return "\0";
    return unescaped(readableEntity(entity));
  });
  return withoutMarks(readable);
}

/** Whom and what the text names, but for the bot; by id alone where Slack gives no label. */
export function mentionsIn(text: string, botIds: ReadonlySet<string>): readonly Mention[] {
  if (!text.includes("<")) return NONE;
  const found = new Map<string, Mention>();
  for (const [, sign, target = "", label] of text.matchAll(NAMING)) {
    if (found.size >= MENTIONS_MAX) break;
    const kind = sign === "@" ? "person" : sign === "#" ? "channel" : "group";
    if (kind === "person" && botIds.has(target)) continue;
    const name = label === undefined || label === "" ? null : unescaped(label.replace(/^[@#]/, ""));
    const written = kind === "group" && name === null ? { written: `subteam^${target}` } : {};
    const mention: Mention = { kind, id: target, name, ...written };
    found.set(mentionKey(mention), mention);
  }
  return found.size === 0 ? NONE : [...found.values()];
}

const NONE: readonly Mention[] = [];
/** `<@U1|ann>`, `<#C1|ops>`, `<!subteam^S1|@ops>`. */
const NAMING = /<(@|#|!subteam\^)([A-Z0-9]{1,64})(?:\|([^<>]*))?>/g;

/** Whether the text names one of these users. */
export function mentions(text: string, botIds: ReadonlySet<string>): boolean {
  for (const [, id] of text.matchAll(/<@([^<>|]*)/g)) if (botIds.has(id ?? "")) return true;
  return false;
}

/** The user that the text names first; what an `app_mention` without `authorizations` is about. */
export function firstMentioned(text: string): string | undefined {
  return /<@([^<>|]+)/.exec(text)?.[1];
}

/** NUL marks where the bot was named; Slack itself never sends one. The space or colon beside it goes too. */
function withoutMarks(text: string): string {
  const [first = "", ...rest] = text.split("\0");
  const kept = [first];
  let isBlank = first.trim() === "";
  let endsInSpace = /\s/.test(first.at(-1) ?? "");
  for (const piece of rest) {
    const cut =
      (isBlank && /^[:,]/.test(piece)) || (endsInSpace && /^\s/.test(piece)) ? piece.slice(1) : piece;
    if (cut === "") continue;
    kept.push(cut);
    isBlank &&= cut.trim() === "";
    endsInSpace = /\s/.test(cut.at(-1) ?? "");
  }
  return kept.join("").trim();
}

function readableEntity(entity: string): string {
  const [target, label] = splitLabel(entity);
  if (target.startsWith("@")) return `@${label || target.slice(1)}`;
  if (target.startsWith("#")) return `#${label || target.slice(1)}`;
  if (target.startsWith("!")) return label || `@${target.slice(1)}`;
  const shown = target.replace(/^(mailto|tel):/, "");
  if (label === "" || label === shown || `http://${label}` === target || `https://${label}` === target)
    return shown;
  return `${label} (${shown})`;
}

function splitLabel(entity: string): [target: string, label: string] {
  const bar = entity.indexOf("|");
  return bar === -1 ? [entity, ""] : [entity.slice(0, bar), entity.slice(bar + 1)];
}

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt);/g, (match) => ESCAPES[match] ?? match);
}
