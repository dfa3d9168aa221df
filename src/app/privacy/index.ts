import { madeIdOf, mediaIdOf } from "../../domain/attachment.ts";
import type { ContextItem } from "../../domain/context.ts";
import type { TriggerEvent } from "../../domain/event.ts";
import type { SentFile } from "../../domain/made-file.ts";
import type { PersonRef } from "../../domain/privacy.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Media } from "../../ports/media.ts";
import type { Erasure, Exported, Privacy } from "../../ports/privacy.ts";
import type { Kept } from "../../ports/records.ts";
import type { Store } from "../../ports/store.ts";
import { parseJsonObject } from "../../shared/json.ts";
import { iso } from "../../shared/time.ts";
import { createAnswers } from "../../store/answers.ts";
import { decide } from "./decide.ts";
import { dropFilesOf, sentFilesIn } from "./files.ts";
import {
  eventIn,
  type Findings,
  findingsOf,
  isTurnOf,
  progressIn,
  recordsWith,
  tracesOf,
  turnIn,
  workspaceOf,
} from "./findings.ts";

export interface PrivacyDeps {
  readonly store: Pick<Store, "records" | "memory" | "journal" | "vault">;
  readonly media: Pick<Media, "find" | "forget">;
  /** Writes what this process has not written yet of the latest requests. */
  readonly writeNotes: () => Promise<void>;
  /** Has all processes forget what they hold in memory and in files of their own. */
  readonly tellAll: () => Promise<void>;
  readonly clock: Clock;
}

/** How long what is taken back has to end. */
const END_MS = 10_000;
const LOOK_MS = 100;
/** What changes while it is looked at is looked at again. */
const ROUNDS_MAX = 5;

export function createPrivacy(deps: PrivacyDeps): Privacy {
  const { records, memory } = deps.store;
  return {
    list: (page) => records.conversations(page),
    async show(conversation, turnsMax) {
      const turns = await memory.recall(conversation, { turnsMax, sinceMs: 0 });
      if (turns.length > 0) return turns;
      for await (const kept of recordsWith(records, [conversation], ["conversations"]))
        if (kept.key === conversation) return turns;
      return null;
    },
    export: (person, options) => exported(person, options, deps),
    erase: (person, options) => erase(person, options, deps),
  };
}

async function* exported(
  person: PersonRef,
  { files }: { readonly files: boolean },
  { store: { records }, media }: PrivacyDeps,
): AsyncGenerator<Exported, void> {
  const findings = await findingsOf(records, person);
  for await (const kept of recordsWith(records, tracesOf(findings))) {
    const event = kept.shelf === "events" ? eventIn(kept) : null;
    const turn = kept.shelf === "turns" ? turnIn(kept) : null;
    if (event !== null && findings.seqs.has(kept.key)) {
      yield exportedEvent(event, kept);
      if (files) yield* exportedFiles(event, sentFilesIn(kept), media);
    } else if (turn !== null && isTurnOf(kept, turn, findings)) {
      const { role, name, text, atMs } = turn;
      yield { kind: "turn", conversation: kept.turn?.conversation, role, name, text, at: iso(atMs) };
    } else if (kept.shelf !== "events" && kept.shelf !== "turns" && decide(kept, findings).kind !== "keep") {
      yield { kind: "other", shelf: kept.shelf, key: kept.key, value: readable(kept) };
    }
  }
}

function exportedEvent(event: TriggerEvent, kept: Kept): Exported {
  const { id, conversation, sender, text, command, attachments, context = [], occurredAtMs } = event;
  const files = attachments.map(({ name, mime, sizeBytes }) => ({ name, mime, bytes: sizeBytes }));
  const quoted = context.map(({ kind, author, text: words }) => ({
    kind,
    author: author?.name ?? null,
    text: words,
  }));
  return {
    ...{
      kind: "event",
      id,
      at: iso(occurredAtMs),
      conversation,
      sender: { id: sender.id, name: sender.name },
    },
    ...{ text, command, files, quoted, answer: progressIn(kept)?.answer?.text ?? null },
  };
}

async function* exportedFiles(
  event: TriggerEvent,
  made: readonly SentFile[],
  media: PrivacyDeps["media"],
): AsyncGenerator<Exported, void> {
  const all = [
    ...event.attachments.map(({ name, mime, id }) => [name, mime, mediaIdOf(event, { id })] as const),
    ...made.map(({ name, mime, id }) => [name, mime, madeIdOf(event, { id })] as const),
  ];
  for (const [name, mime, id] of all) {
    const kept = await media.find({ conversation: event.conversation, id });
    if (kept === null) continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of kept.read()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    yield { kind: "file", event_id: event.id, name, mime, base64: bytes.toString("base64") };
  }
}

function readable({ texts }: Kept): unknown {
  const [text] = texts;
  const read = parseJsonObject(text ?? "");
  return read.ok ? read.value : (text ?? null);
}

async function erase(
  person: PersonRef,
  { isDry, signal }: { readonly isDry: boolean; readonly signal: AbortSignal },
  deps: PrivacyDeps,
): Promise<Erasure> {
  const { records } = deps.store;
  await deps.writeNotes();
  let findings = await findingsOf(records, person);
  if (!isDry && (await takeBack(findings, deps, signal))) findings = await findingsOf(records, person);
  const counts = { events: 0, turns: 0, files: 0, others: 0, changed: 0 };
  const inHand = new Set<string>();
  for (let round = 1; round <= (isDry ? 1 : ROUNDS_MAX); round++) {
    let isSettled = true;
    inHand.clear();
    for await (const kept of recordsWith(records, tracesOf(findings))) {
      signal.throwIfAborted();
      const decision = decide(kept, findings);
      if (decision.kind === "in-hand") inHand.add(kept.key);
      if (decision.kind === "in-hand" || decision.kind === "keep") continue;
      // Files first: their names are in the record.
      const isOwn = findings.seqs.has(kept.key);
      const isTheirs = (item: ContextItem | null) =>
        isOwn || (item?.author?.id != null && findings.ids.has(item.author.id));
      counts.files += await dropFilesOf(kept, isTheirs, deps.media, isDry);
      const texts = decision.kind === "remove" ? null : decision.texts;
      if (!isDry && !(await records.replace(kept, texts))) {
        isSettled = false;
        continue;
      }
      // One may end while it is looked at.
      if (kept.shelf === "events") inHand.delete(kept.key);
      if (decision.kind === "replace" && !decision.isOwn) counts.changed++;
      else if (kept.shelf === "events") counts.events++;
      else if (kept.shelf === "turns") counts.turns++;
      else counts.others++;
    }
    if (isSettled) break;
  }
  const conversations = findings.privateOnes.size + findings.shared.size;
  if (isDry) return { ...counts, conversations, inHand: inHand.size, left: [] };
  for (const conversation of findings.privateOnes) await deps.media.forget(conversation);
  // Who had a part in one nobody can tell: of what was said in the workspace, none is given again.
  await createAnswers(deps.store.vault, deps.clock).forgetOf(workspaceOf(findings));
  await deps.tellAll();
  return { ...counts, conversations, inHand: inHand.size, left: await records.scrub() };
}

/** What nobody wants answered any more. Gives whether there was any, once it is over or has had its time. */
async function takeBack(
  { own }: Findings,
  { store: { memory, journal }, clock }: PrivacyDeps,
  signal: AbortSignal,
): Promise<boolean> {
  let live = own.filter(({ kept }) => kept.isOver !== true).map(({ event }) => event.id);
  if (live.length === 0) return false;
  for (const id of live) await memory.withdraw(id);
  for (const untilMs = clock.nowMs() + END_MS; live.length > 0 && clock.nowMs() < untilMs; ) {
    await clock.sleep(LOOK_MS, signal);
    const states = await Promise.all(live.map(async (id) => (await journal.find(id))?.state ?? "done"));
    live = live.filter((_, index) => LIVE.has(states[index] ?? "done"));
  }
  return true;
}

const LIVE: ReadonlySet<string> = new Set(["queued", "running", "retrying", "parked"]);
