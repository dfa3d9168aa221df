import { ADOPTED_AFTER_MS_MAX } from "../../domain/bounds.ts";
import type { PersonResult, PersonRow } from "./protocol.ts";
import type { State } from "./state.ts";

/** See People in src/ports/people.ts. Whether anybody is known by two names comes with the answer. */
export function settlePerson(state: State, [lasting, passing]: PersonRow, nowMs: number): PersonResult {
  if (lasting !== null && passing !== null) return settleBoth(state, lasting, passing, nowMs);
  const { sql } = state;
  const given = lasting ?? passing ?? "";
  const owner = passing === null ? given : (sql.ownerOf.get(passing)?.lasting ?? given);
  const known = sql.person.get(owner);
  if (known === undefined) return [given, lasting, passing, sql.anyPerson.get() !== undefined];
  sql.seePerson.run(owner, nowMs, known.conversation);
  return [known.conversation, owner, known.passing, true];
}

function settleBoth(state: State, lasting: string, passing: string, nowMs: number): PersonResult {
  const { sql } = state;
  const known = sql.person.get(lasting);
  if (known?.passing === passing) {
    sql.seePerson.run(lasting, nowMs, known.conversation);
    return [known.conversation, lasting, passing, true];
  }
  const wasSomebodyElses = Number(sql.losePassing.run(passing).changes) > 0;
  if (known !== undefined) {
    sql.setPassing.run(passing, nowMs, lasting);
    return [known.conversation, lasting, passing, true];
  }
  const adopts = !wasSomebodyElses && isToBeAdopted(state, passing, lasting, nowMs);
  const conversation = adopts ? passing : lasting;
  sql.addPerson.run(lasting, passing, conversation, nowMs);
  // Whoever comes with this number alone, when it is nobody's any more, begins anew.
  if (adopts) sql.addPerson.run(passing, null, `${passing}:2`, nowMs);
  return [conversation, lasting, passing, true];
}

/** Whether a number's conversation goes on as that of the person: it is known, not for too long, and nobody else's. */
function isToBeAdopted(state: State, passing: string, lasting: string, nowMs: number): boolean {
  if (state.sql.person.get(passing) !== undefined) return false;
  const seenMs = lastSeenMs(state, passing, nowMs);
  return nowMs - seenMs <= ADOPTED_AFTER_MS_MAX && seenMs >= lastSeenMs(state, lasting, nowMs);
}

function lastSeenMs({ sql, lanes }: State, conversation: string, nowMs: number): number {
  if (lanes.isActive(conversation)) return nowMs;
  return sql.conversationSeen.get(conversation)?.seen_ms ?? Number.NEGATIVE_INFINITY;
}
