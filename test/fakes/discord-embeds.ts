const EMBEDS_MAX = 10;
const EMBEDS_CHARS_MAX = 6_000;
const FIELDS_MAX = 25;

/** Embeds of words alone, as far as Discord checks them. */
export function areEmbeds(embeds: unknown): boolean {
  const all = (embeds ?? []) as readonly Record<string, unknown>[];
  const fieldsOf = (embed: Record<string, unknown>) => (embed.fields ?? []) as Record<string, unknown>[];
  const counted = all.flatMap((embed) => [
    ...[embed.title, embed.description],
    ...fieldsOf(embed).flatMap(({ name, value }) => [name, value]),
  ]);
  return (
    all.length <= EMBEDS_MAX &&
    counted.reduce<number>((sum, text) => sum + charsOf(text), 0) <= EMBEDS_CHARS_MAX &&
    all.every(
      (embed) =>
        charsOf(embed.title) <= 256 &&
        charsOf(embed.description) <= 4_096 &&
        charsOf(embed.title) + charsOf(embed.description) + fieldsOf(embed).length > 0 &&
        fieldsOf(embed).length <= FIELDS_MAX &&
        fieldsOf(embed).every(({ name, value }) => isWords(name, 256) && isWords(value, 1_024)),
    )
  );
}

function isWords(text: unknown, max: number): boolean {
  return charsOf(text) > 0 && charsOf(text) <= max;
}

/** Blanks around it do not count. */
function charsOf(text: unknown): number {
  return typeof text === "string" ? Array.from(text.trim()).length : 0;
}

export function isFilled(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0;
}

/** None of an address in angle brackets, nor in code. */
export function previewsOf(content: string): readonly string[] {
  const open = content.replaceAll(/```[\s\S]*?```|(``?)[^`\n].*?\1|<https?:\/\/[^\s<>]+>/gi, "");
  return open.match(/https?:\/\/[^\s<>()]+/gi) ?? [];
}
