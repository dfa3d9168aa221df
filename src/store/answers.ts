import { VAULT_CHARS_MAX } from "../domain/bounds.ts";
import type { Answers } from "../ports/answers.ts";
import type { Clock } from "../ports/clock.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf, namePart } from "./vault-entries.ts";

const PREFIX = `${PLAIN}answer/`;
/** In all conversations together; what comes within a minute comes on top. */
const ANSWERS_MAX = 1_000;

/** In the vault, those of one conversation side by side. Each names its event, by which it goes with what a person erases. */
export function createAnswers(vault: Vault, clock: Pick<Clock, "nowMs">): Answers {
  return {
    async find(conversation, digest) {
      const value = await vault.get(nameOf(conversation, digest));
      const kept = value === null ? null : keptIn(value);
      if (kept === null || kept.untilMs <= clock.nowMs()) return null;
      return { text: kept.text, model: kept.model };
    },
    async keep({ conversation, eventId }, digest, { text, model }, ttlMs) {
      const value = JSON.stringify({ eventId, text, model, untilMs: clock.nowMs() + ttlMs });
      if (value.length <= VAULT_CHARS_MAX) await vault.put(nameOf(conversation, digest), value);
    },
    async forgetOf(prefix) {
      for await (const { name } of entriesOf(vault, `${PREFIX}${namePart(prefix)}`)) await vault.remove(name);
    },
    async forget() {
      const nowMs = clock.nowMs();
      const live: { readonly name: string; readonly value: string; readonly untilMs: number }[] = [];
      let gone = 0;
      for await (const { name, value } of entriesOf(vault, PREFIX)) {
        const untilMs = keptIn(value)?.untilMs ?? 0;
        if (untilMs > nowMs) live.push({ name, value, untilMs });
        // Of one that was kept anew meanwhile, the new one stays.
        else if (await vault.remove(name, value)) gone++;
      }
      const tooMany = live.toSorted((a, b) => a.untilMs - b.untilMs).slice(0, -ANSWERS_MAX);
      for (const { name, value } of tooMany) if (await vault.remove(name, value)) gone++;
      return gone;
    },
  };
}

function nameOf(conversation: string, digest: string): string {
  return `${PREFIX}${namePart(conversation)}/${digest}`;
}

function keptIn(value: string) {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const [text, model] = ["text", "model"].map((key) => getString(parsed.value, key));
  const untilMs = get(parsed.value, "untilMs");
  return text === undefined || model === undefined || typeof untilMs !== "number"
    ? null
    : { text, model, untilMs };
}
