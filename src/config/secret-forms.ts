/** What a secret that guards this gateway must be, so that nobody guesses it. */
export interface SecretForm {
  readonly charsMin: number;
  readonly charsMax: number;
  readonly pattern: RegExp;
  /** After "expected". */
  readonly words: string;
}

function atLeast(charsMin: number, kind: "graphic" | "any"): SecretForm {
  const isAny = kind === "any";
  return {
    charsMin,
    charsMax: Number.POSITIVE_INFINITY,
    pattern: isAny ? /^\S(?:.*\S)?$/s : /^[!-~]+$/,
    words: `at least ${charsMin} ${isAny ? "characters" : "ASCII characters without spaces"}`,
  };
}

/**
 * Those that open something here. What we show to others (tokens of platforms, keys of models) is theirs to judge.
 * Slack's are 32 characters; the others are chosen by the operator, or of a length that nobody documents.
 */
export const SECRET_FORMS = {
  PARLEY_ADMIN_TOKEN: atLeast(32, "graphic"),
  PARLEY_METRICS_TOKEN: atLeast(32, "graphic"),
  PARLEY_DEV_KEY: atLeast(16, "graphic"),
  SLACK_SIGNING_SECRET: atLeast(32, "graphic"),
  DISCORD_PUBLIC_KEY: { charsMin: 64, charsMax: 64, pattern: /^[0-9a-f]*$/i, words: "64 hex digits" },
  TELEGRAM_WEBHOOK_SECRET: {
    charsMin: 16,
    charsMax: 256,
    pattern: /^[A-Za-z0-9_-]*$/,
    words: "16 to 256 of A-Z, a-z, 0-9, _ and -",
  },
  WHATSAPP_APP_SECRET: atLeast(16, "graphic"),
  WHATSAPP_VERIFY_TOKEN: atLeast(16, "any"),
} satisfies Record<string, SecretForm>;

export type Guard = keyof typeof SECRET_FORMS;

/** What is wrong with this value, never the value itself; null when nothing is. */
export function wrongSecret(name: Guard, value: string): string | null {
  const { charsMin, charsMax, pattern, words } = SECRET_FORMS[name];
  const { length } = value;
  if (length < charsMin || length > charsMax)
    return `expected ${words}, got ${length} ${length === 1 ? "character" : "characters"}`;
  return pattern.test(value) ? null : `expected ${words}, got ${length} characters, not all of them such`;
}
