import type { GatewaySpec } from "../config/schema.ts";
import { type LanguageOf, wordsIn } from "../domain/language.ts";

/**
 * The best must be ahead of the next by so much, of 1. Of 130 short messages of a team chat, code and names among them,
 * 90 are told right, 36 not at all and 4 wrong; with 0 it is 97, 27 and 6, with 0.05 85, 41 and 4.
 */
const AHEAD_MIN = 0.03;

/** Who tells languages, where a route asks for one: what that needs takes memory and a moment to load. */
export async function languagesFor({ routes }: Pick<GatewaySpec, "routes">): Promise<LanguageOf> {
  return routes.some(({ match }) => match?.language !== undefined) ? await openLanguages() : () => null;
}

async function openLanguages(): Promise<LanguageOf> {
  const { eld } = await import("eld/extrasmall");
  // Several routes ask for the same message, one after the other.
  let last: { readonly text: string; readonly language: string | null } = { text: "", language: null };
  return (text) => {
    if (last.text !== text) last = { text, language: languageIn(text, eld) };
    return last.language;
  };
}

type Detector = typeof import("eld/extrasmall").eld;

function languageIn(text: string, detector: Detector): string | null {
  const words = wordsIn(text);
  if (words === null) return null;
  const found = detector.detect(words);
  const [best = 0, next = 0] = Object.values(found.getScores());
  return found.isReliable() && best - next >= AHEAD_MIN ? found.language : null;
}
