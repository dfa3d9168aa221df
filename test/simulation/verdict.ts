import { allowance } from "../../src/config/limits.ts";
import type { GatewaySpec } from "../../src/config/schema.ts";
import { controlCommandOf } from "../../src/domain/command.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { centsOf, microcentsOf } from "../../src/domain/money.ts";
import { isAside, isWaitLine } from "./chat.ts";
import type { Ledger, Row } from "./ledger.ts";
import { opening, readScript } from "./script.ts";
import type { Acked, Moment, Witness } from "./witness.ts";
import { STRANGER } from "./workload.ts";
import type { Plan, Spooling } from "./world.ts";

/** Holds what the store says at the end against what was seen from outside. Gives how many events ended how. */
export function verdict(
  ledger: Ledger,
  witness: Witness,
  { spec, spool }: Pick<Plan, "spec" | "spool">,
  previewsLeft: readonly string[],
): Record<string, number> {
  const { rows } = ledger;
  // What a spool brings comes before what came later, though it is accepted after that.
  const lineUp = (row: Row): number => {
    if (spool === "none") return row.seq;
    const owner = rows.find(({ seq }) => seq === row.into);
    if (owner !== undefined) return lineUp(owner) + (1 + witness.joins.of(owner.id).indexOf(row.id)) / 1_000;
    return witness.ended.get(row.id) ?? row.seq;
  };
  const inLine = rows.toSorted((a, b) => lineUp(a) - lineUp(b));
  checkSettled(ledger, witness);
  checkAccepted(rows, witness, spool);
  checkOrder(inLine, witness, spool);
  for (const row of rows) checkEnd(row, witness);
  checkMerged(inLine, witness);
  for (const partId of previewsLeft) checkPreview(partId, rows, witness);
  checkNotices(rows, witness, spec);
  checkMemory(inLine, ledger, witness);
  checkMoney(ledger, witness);
  return countBy(rows);
}

/** Nothing waits, nothing is in doubt but what was given up on, and nothing belongs to an event that is not there. */
function checkSettled({ rows, parts, leftovers }: Ledger, witness: Witness): void {
  for (const { id, state } of rows) if (state === null) witness.violate(`${id} has no end`);
  for (const leftover of leftovers) witness.violate(`left behind: ${leftover}`);
  for (const part of parts) {
    const owner = rows.find(({ seq }) => seq === part.seq);
    if (owner === undefined) witness.violate(`${part.partId} belongs to no event`);
    // Nobody needs a line to whoever waits, nor a question when its run was stopped, so one in doubt is left.
    else if (isWaitLine(part.partId) || isAside(part.partId)) continue;
    // What became of a send is recorded on the way; a store that takes the settlement but not that leaves it open.
    else if (part.state !== "sent" && owner.state !== "dead" && witness.storeFaults + witness.freezes === 0)
      witness.violate(`${part.partId} of a ${owner.state} event is left ${part.state}`);
  }
}

/** Nothing that the provider may charge for is forgotten, whatever died on the way. */
function checkMoney({ money }: Ledger, witness: Witness): void {
  if (money < microcentsOf(witness.spentCents))
    witness.violate(`${witness.spentCents} cents may have been spent, ${centsOf(money)} are known`);
}

/** What was acknowledged is there, once, and nothing else is. */
function checkAccepted(rows: readonly Row[], witness: Witness, spool: Spooling): void {
  const ids = new Set(rows.map(({ id }) => id));
  if (ids.size < rows.length) witness.violate("an event was stored twice");
  const gone = witness.acked.filter(({ mayVanish }) => spool !== "none" && mayVanish);
  const mayBeGone = new Set(gone.map(({ eventId }) => eventId));
  for (const { eventId } of witness.acked)
    if (!ids.has(eventId) && !mayBeGone.has(eventId)) witness.violate(`${eventId} was acknowledged and lost`);
  for (const { id, event } of rows) if (event.text === "forged") witness.violate(`${id} is forged`);
}

/** One conversation's answers come in the order of its messages, and its messages were stored in the order sent. */
function checkOrder(inLine: readonly Row[], witness: Witness, spool: Spooling): void {
  const placeOf = new Map(inLine.map(({ id }, place) => [id, place]));
  for (const lane of lanesOf(inLine, witness)) {
    const ids = new Set(lane.map(({ id }) => id));
    let last = { place: -1, index: 0 };
    const seen = new Set<string>();
    for (const { eventId, index } of witness.said) {
      if (!ids.has(eventId) || seen.has(`${eventId}/${index}`)) continue;
      seen.add(`${eventId}/${index}`);
      const place = placeOf.get(eventId) ?? 0;
      const isNext = place > last.place ? index === 0 : place === last.place && index === last.index + 1;
      if (!isNext) witness.violate(`${eventId}/${index} was said out of turn`);
      last = { place, index };
    }
    if (spool === "none") checkArrival(ids, placeOf, witness, ({ order }) => order);
    // After an outage, only what is run waits for what other replicas may still bring. They tell by their clocks.
    else if (spool === "orderly" && !lane.some(({ event }) => isOvertaking(event)))
      checkArrival(ids, placeOf, witness, ({ atMs }) => atMs);
  }
}

/** A message that was acknowledged before another was sent comes before it. */
function checkArrival(
  ids: ReadonlySet<string>,
  placeOf: ReadonlyMap<string, number>,
  witness: Witness,
  when: (moment: Moment) => number,
): void {
  const ours = witness.acked.filter(({ eventId }) => ids.has(eventId));
  const firstAck = firstBy(ours, ({ acked }) => when(acked));
  const firstIssue = firstBy(ours, ({ issued }) => when(issued));
  for (const [earlier, ackedAt] of firstAck) {
    for (const [later, issuedAt] of firstIssue) {
      if (ackedAt < issuedAt && (placeOf.get(earlier) ?? 0) > (placeOf.get(later) ?? 0))
        witness.violate(`${later} was sent after ${earlier} was acknowledged, but is before it`);
    }
  }
}

function firstBy(acked: readonly Acked[], at: (ack: Acked) => number): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const ack of acked) first.set(ack.eventId, Math.min(first.get(ack.eventId) ?? Infinity, at(ack)));
  return first;
}

/** Refused events and commands that overtake have lanes of their own. */
function lanesOf(rows: readonly Row[], witness: Witness): Iterable<readonly Row[]> {
  return Map.groupBy(
    rows.filter((row) => refusalOf(row, witness) === null),
    ({ event }) => `${event.conversation} ${isOvertaking(event) ? "control" : ""}`,
  ).values();
}

function isOvertaking(event: TriggerEvent): boolean {
  const command = controlCommandOf(event);
  return command !== null && command !== "reset";
}

/** Everything that was to be answered was, where it was asked, in full; or it is dead of something that happened to it. */
function checkEnd(row: Row, witness: Witness): void {
  const { id, state, progress, event, attempt } = row;
  const said = witness.said.filter(({ eventId }) => eventId === id);
  const waitAt = witness.waits.get(id);
  if (said.some(({ to }) => to !== event.replyTo) || (waitAt !== undefined && waitAt !== event.replyTo))
    witness.violate(`${id} was answered in another place`);
  if (attempt > 1 + witness.retriesExplained(id))
    witness.violate(
      `${id} used ${attempt} attempts, but only ${witness.retriesExplained(id)} retries are explained`,
    );
  if (event.sender.id === STRANGER && (progress !== null || state === "done"))
    witness.violate(`${id} is a stranger's, and was run`);
  if (state === "dead") checkDeath(row, witness);
  if (state !== "done") return;

  const texts = progress?.answer?.parts.map(String) ?? [];
  if (texts.length === 0) witness.violate(`${id} is done without an answer`);
  for (const [index, text] of texts.entries()) {
    if (!said.some((one) => one.index === index && one.text === text))
      witness.violate(`${id}/${index} is done, but was never said`);
  }
}

/** What was merged was answered with its event, which is of the same person, and not by itself. An answer repeats all it was shown. */
function checkMerged(inLine: readonly Row[], witness: Witness): void {
  for (const { id, into, state, event } of inLine) {
    if ((state === "merged") !== (into !== null)) witness.violate(`${id} is ${state}, but in ${into}`);
    if (state !== "merged") continue;
    const owner = inLine.find(({ seq }) => seq === into);
    if (owner === undefined || (owner.state !== "done" && owner.state !== "dead"))
      witness.violate(`${id} is merged into an event that is ${owner?.state}`);
    if (owner?.event.sender.id !== event.sender.id || owner.event.conversation !== event.conversation)
      witness.violate(`${id} is merged into one of somebody else`);
    if (witness.said.some(({ eventId }) => eventId === id))
      witness.violate(`${id} is merged, and was answered`);
  }
  for (const row of inLine) {
    const { id, state, cause, event, progress } = row;
    if (state !== "done" || cause !== null || controlCommandOf(event) !== null) continue;
    const keys = [row, ...mergedInto(row, inLine)].map((one) => readScript(one.event.text).key);
    const text = progress?.answer?.text ?? "";
    if (!text.startsWith(opening(keys)))
      witness.violate(`${id} asks ${keys.join(", ")}, but is told: ${text}`);
  }
}

function mergedInto({ seq }: Row, inLine: readonly Row[]): readonly Row[] {
  return inLine.filter(({ into }) => into === seq);
}

/** What was shown of an answer stays only where nothing could be said, or beside an answer that is marked. */
function checkPreview(partId: string, rows: readonly Row[], witness: Witness): void {
  const eventId = partId.replace(/\/\d+$/, "");
  const row = rows.find(({ id }) => id === eventId);
  const said = witness.said.filter((one) => one.eventId === eventId && one.index === 0);
  const isExplained = said.some(({ isMarked }) => isMarked) || (row?.state === "dead" && said.length === 0);
  if (!isExplained) witness.violate(`${partId} of a ${row?.state} event is left as it was shown`);
}

function checkDeath({ id, cause, attempt }: Row, witness: Witness): void {
  const troubles = witness.troublesOf(id);
  const had = (trouble: string) => troubles.some((one) => one.startsWith(trouble));
  if (cause?.startsWith("DELIVERY_REJECTED") && had("send rejected")) return;
  if (cause?.startsWith("MODEL_") && had("model")) return;
  // A question that could not be asked.
  if (cause?.startsWith("DELIVERY_") && had("send")) return;
  if (cause?.startsWith("gave up") && attempt <= 1 + witness.retriesExplained(id)) return;
  witness.violate(`${id} is dead of ${cause}, which nothing explains (${troubles.join(", ")})`);
}

const NOTICE_WINDOW_MS_MIN = 60_000;

/** A refused person hears of it at the first time, and not again within the window. */
function checkNotices(rows: readonly Row[], witness: Witness, spec: GatewaySpec): void {
  const groups = Map.groupBy(
    rows.filter((row) => refusalOf(row, witness) !== null),
    (row) => [refusalOf(row, witness), row.event.platform, row.event.tenant, row.event.sender.id].join(" "),
  );
  for (const group of groups.values()) {
    let toldMs = Number.NEGATIVE_INFINITY;
    for (const row of group) {
      const windowMs = windowOf(refusalOf(row, witness), spec);
      const isDue = windowMs > 0 && row.acceptedMs - toldMs >= windowMs;
      if (isDue) toldMs = row.acceptedMs;
      const wasTold = witness.said.some(({ eventId }) => eventId === row.id);
      if (wasTold && !isDue) witness.violate(`${row.id} (${row.cause}) was told again`);
      if (!wasTold && isDue && row.state !== "dead") witness.violate(`${row.id} (${row.cause}) was not told`);
    }
  }
}

/** Null: it was to be run. The cause of a notice that could not be said is that of its death. */
function refusalOf({ id, state, cause }: Row, witness: Witness): string | null {
  return witness.refusals.get(id) ?? (state === "dropped" ? cause : null);
}

function windowOf(cause: string | null, spec: GatewaySpec): number {
  if (cause === "too_old") return 0;
  if (cause !== "rate_limited") return spec.notices.window_seconds * 1000;
  return Math.max(NOTICE_WINDOW_MS_MIN, allowance(spec.limits.user)?.perMs ?? 0);
}

/** A command is remembered with its name. */
function rememberedText({ command, text }: Row["event"]): string {
  return command === null ? text : `⟦command ${JSON.stringify(command)}⟧\n${text}`;
}

/** Memory holds each finished turn once, in order, and none from before the last reset. */
function checkMemory(inLine: readonly Row[], { turns: stored }: Ledger, witness: Witness): void {
  const turns = Map.groupBy(stored, ({ conversation }) => conversation);
  for (const [conversation, lane] of Map.groupBy(inLine, ({ event }) => event.conversation)) {
    // One that nobody heard of, and that was given up, may or may not have been carried out.
    if (lane.some(({ id, state }) => state === "dead" && witness.resets.get(id) === false)) continue;
    const resetAt = lane.findLastIndex(({ id }) => witness.resets.get(id));
    const expected = lane
      .slice(resetAt + 1)
      .filter(({ state, event }) => state === "done" && controlCommandOf(event) === null)
      .flatMap((row) => [
        ...[row, ...mergedInto(row, inLine)].map(({ event }) => `user: ${rememberedText(event)}`),
        `assistant: ${row.progress?.answer?.text}`,
      ]);
    const got = (turns.get(conversation) ?? []).map(({ turn: { role, text } }) => `${role}: ${text}`);
    if (JSON.stringify(got) !== JSON.stringify(expected))
      witness.violate(
        `memory of ${conversation}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
      );
  }
}

function countBy(rows: readonly Row[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state, cause } of rows) {
    const key = state === "dead" || cause === null ? String(state) : `${state}: ${cause}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
