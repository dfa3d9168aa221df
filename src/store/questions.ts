import type { QuestionState, Questions, Whereabouts } from "../ports/questions.ts";
import type { Vault } from "../ports/vault.ts";
import { getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf } from "./vault-entries.ts";

const PREFIX = `${PLAIN}question/`;

/** Questions in the vault, by names that put those of the newest runs first: ids begin with the time of their run. */
export function createQuestions(vault: Vault): Questions {
  const found = async (state: QuestionState, approvalId: string) => {
    const value = await vault.get(nameOf(state, approvalId));
    return value === null ? null : whereaboutsIn(value);
  };
  return {
    async open(question) {
      const { approvalId, eventId, lane } = question;
      await vault.put(nameOf("waiting", approvalId), JSON.stringify({ approvalId, eventId, lane }));
    },
    async close(approvalId) {
      const question = await found("waiting", approvalId);
      if (question === null) return false;
      // In this order, so that it can be found at any time.
      await vault.put(nameOf("decided", approvalId), JSON.stringify(question));
      return await vault.remove(nameOf("waiting", approvalId));
    },
    find: async (approvalId) => (await found("waiting", approvalId)) ?? (await found("decided", approvalId)),
    async list({ state, limit, after }) {
      const from = after === undefined ? {} : { after: nameOf(state, after) };
      const entries = await vault.list({ prefix: `${PREFIX}${state}/`, limit, ...from });
      return entries.flatMap(({ value }) => whereaboutsIn(value) ?? []);
    },
    async forget(beforeMs) {
      const after = `apr_${beforeMs.toString(32).padStart(9, "0")}`;
      let gone = 0;
      for (const state of ["waiting", "decided"] as const) {
        const old = entriesOf(vault, `${PREFIX}${state}/`, nameOf(state, after));
        for await (const { name } of old) if (await vault.remove(name)) gone++;
      }
      return gone;
    },
  };
}

const DIGITS = "0123456789abcdefghijklmnopqrstuv";

/** The greatest id has the smallest name. */
function nameOf(state: QuestionState, approvalId: string): string {
  const turned = approvalId.replace(/^apr_/, "").replace(/[0-9a-v]/g, (digit) => {
    return DIGITS[DIGITS.length - 1 - DIGITS.indexOf(digit)] ?? digit;
  });
  return `${PREFIX}${state}/${turned}`;
}

function whereaboutsIn(value: string): Whereabouts | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const [approvalId, eventId, lane] = ["approvalId", "eventId", "lane"].map((name) =>
    getString(parsed.value, name),
  );
  return approvalId === undefined || eventId === undefined || lane === undefined
    ? null
    : { approvalId, eventId, lane };
}
