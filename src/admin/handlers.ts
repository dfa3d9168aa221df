import type { z } from "zod";
import { BREAKERS_SET_MAX } from "../domain/controls.ts";
import { isConversationOf, tenantName } from "../domain/tenant.ts";
import type { Feed } from "../feed/feed.ts";
import type { LifeFeed } from "../feed/life-feed.ts";
import { type RefusalFeed, refusalView } from "../feed/refusal.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock } from "../ports/clock.ts";
import type { Feedback } from "../ports/feedback.ts";
import type { EventRecord } from "../ports/journal.ts";
import type { Lanes } from "../ports/lanes.ts";
import type { RequestLog } from "../ports/request-log.ts";
import { type ApprovalDeps, approvalPage } from "./approvals.ts";
import { auditPage, auditVerified } from "./audit.ts";
import type { TellAudit } from "./audited.ts";
import { type BackupDeps, createBackups } from "./backup.ts";
import { STREAMS_MAX, STREAMS_OF_TENANTS_MAX, STREAMS_PER_TENANT_MAX } from "./bounds.ts";
import { type BulkDeps, type BulkOrder, carryOut, snapshot } from "./bulk.ts";
import { notOf, type OnTokenEnd } from "./callers.ts";
import {
  breakersView,
  type ControlsDeps,
  limitsView,
  logLevelView,
  resetBreaker,
  setBreaker,
  setLimits,
  setLogLevel,
} from "./controls.ts";
import {
  type ConversationsDeps,
  conversationPage,
  erasePerson,
  exportPerson,
  transcriptOf,
} from "./conversations.ts";
import { cursorOf, type ListName } from "./cursor.ts";
import { type ExplainDeps, explain, NOTHING_KNOWN } from "./explain.ts";
import { deadHooks, type HooksDeps, hooksView, replayHook, tryHook } from "./hooks.ts";
import { type InstallationsDeps, installationPage, placeIn } from "./installations.ts";
import { type KillSwitchDeps, killSwitchView, setKillSwitch } from "./kill-switch.ts";
import {
  checkStore,
  finishedPage,
  type MaintenanceDeps,
  pruneStore,
  removeFinished,
  vacuumStore,
} from "./maintenance.ts";
import { eraseNotes, type NotesDeps, notebookPage } from "./notes.ts";
import { type NotifyDeps, notify } from "./notify.ts";
import { openApi } from "./openapi.ts";
import type { OPERATIONS, OperationId } from "./operations.ts";
import { refusalPage } from "./refusals.ts";
import { dropLetter, NO_TEXT, type Replayed, replayEvent, replayLetter } from "./replay.ts";
import { type ReplicasDeps, replicasView } from "./replicas.ts";
import { type ApiResponse, problem, unavailable } from "./responses.ts";
import { type SchedulesDeps, schedulesView } from "./schedules.ts";
import { eventSearch, letterSearch, type Page, searchPage } from "./search.ts";
import { type StatusDeps, statusView } from "./status.ts";
import { liveStream, livesOf, refusalsOf } from "./stream.ts";
import { beginTask, showTask, type TasksDeps } from "./tasks.ts";
import { createToken, revokeToken, type TokensDeps, tokensView } from "./tokens.ts";
import { type ToolsDeps, toolsView } from "./tools.ts";
import { type UsageDeps, usageOf } from "./usage.ts";
import { eventDetail, eventView, letterDetail, letterView } from "./views.ts";

export interface HandlerDeps
  extends BulkDeps,
    UsageDeps,
    InstallationsDeps,
    KillSwitchDeps,
    ControlsDeps,
    BackupDeps,
    HooksDeps,
    SchedulesDeps,
    NotesDeps,
    NotifyDeps,
    TasksDeps,
    ToolsDeps,
    TokensDeps,
    Omit<MaintenanceDeps, "journal">,
    ConversationsDeps,
    ReplicasDeps {
  readonly approvals: Omit<ApprovalDeps, "journal">;
  readonly feedback: Pick<Feedback, "of">;
  readonly ready: StatusDeps["ready"];
  readonly stats: StatusDeps["stats"];
  readonly feed: LifeFeed;
  readonly refusals: RefusalFeed;
  readonly requests: Pick<RequestLog, "list" | "find">;
  readonly lanes: Pick<Lanes, "stateOf">;
  readonly auditLog: Pick<AuditLog, "read">;
  /** Writes what this process knows of the latest requests, so that whoever asks finds it. */
  readonly writeNotes: () => Promise<void>;
  readonly clock: Clock;
  readonly version: string;
  readonly wordsOf: ExplainDeps["wordsOf"];
}

/** A request that has been checked. `id` and `by` are empty where the operation has none. */
interface Call<O> {
  readonly id: string;
  readonly by: string;
  /** The header Idempotency-Key, where the operation takes it. */
  readonly key: string | undefined;
  readonly requestId: string;
  /** Which only sees what is of it; null: all of them. */
  readonly tenant: string | null;
  readonly onTokenEnd: OnTokenEnd;
  readonly tell: TellAudit;
  readonly query: O extends { query: infer Q extends z.ZodObject } ? z.output<Q> : never;
  readonly body: O extends { body: infer B extends z.ZodObject } ? z.output<B> : undefined;
}

export type Handlers = {
  readonly [Id in OperationId]: (call: Call<(typeof OPERATIONS)[Id]>) => Promise<ApiResponse>;
};

/** What each operation does. */
export function createHandlers(deps: HandlerDeps): Handlers {
  const { journal, clock, feed, refusals, requests } = deps;
  const backups = createBackups(deps);

  async function found(
    id: string,
    then: (record: EventRecord) => Promise<ApiResponse> | ApiResponse,
  ): Promise<ApiResponse> {
    const record = await journal.find(id);
    return record === null ? unknown() : await then(record);
  }

  /** A store that takes no notes, because it is full, may still show those that it has. */
  const writtenNotes = () => deps.writeNotes().catch(() => {});

  const ofTenants = new Map<string, number>();
  const countStream = (tenant: string | null, by: 1 | -1) => {
    if (tenant === null) return;
    const count = (ofTenants.get(tenant) ?? 0) + by;
    if (count === 0) ofTenants.delete(tenant);
    else ofTenants.set(tenant, count);
  };
  /** Null: there is room. */
  function fullFor(tenant: string): string | null {
    if ((ofTenants.get(tenant) ?? 0) >= STREAMS_PER_TENANT_MAX)
      return `Expected at most ${STREAMS_PER_TENANT_MAX} streams of ${tenant} on this replica, got one more`;
    const open = [...ofTenants.values()].reduce((sum, count) => sum + count, 0);
    return open < STREAMS_OF_TENANTS_MAX ? null : tooManyStreams(STREAMS_OF_TENANTS_MAX);
  }
  const fullForOperators = () =>
    feed.watchers + refusals.watchers < STREAMS_MAX ? null : tooManyStreams(STREAMS_MAX);

  function live<T>(
    of: Feed<T>,
    isWanted: (item: T) => boolean,
    { tenant, onTokenEnd }: Pick<Call<object>, "tenant" | "onTokenEnd">,
  ): ApiResponse {
    const full = tenant === null ? fullForOperators() : fullFor(tenant);
    if (full !== null) return unavailable(full);
    const counted: OnTokenEnd = (ended) => {
      const leave = onTokenEnd(ended);
      countStream(tenant, 1);
      return () => {
        leave();
        countStream(tenant, -1);
      };
    };
    const headers = {
      "content-type": "text/event-stream",
      // A proxy that gathers answers would hold back what is live.
      "x-accel-buffering": "no",
    };
    return { status: 200, body: liveStream(of, isWanted, { ...deps, onTokenEnd: counted }), headers };
  }

  return {
    async listEvents({ query: { limit, before, ...filter } }) {
      const page = await searchPage(journal, eventSearch(filter, clock.nowMs()), { limit, before });
      return ok({ events: page.records.map(eventView), next: nextOf("events", page) });
    },
    async showEvent({ id, tenant }) {
      const record = await journal.find(id);
      // Whether another tenant has such an event is no business of this one.
      if (tenant !== null && (record === null || tenantName(record.event) !== tenant)) return notOf(tenant);
      return record === null ? unknown() : ok(eventDetail(record, await deps.feedback.of(record.id)));
    },
    replayEvent: ({ id, by }) =>
      found(id, async (record) => ofReplayed(await replayEvent(record, by, deps), { id, by })),
    async listLetters({ query: { limit, before, ...filter } }) {
      const page = await searchPage(journal, letterSearch(filter, clock.nowMs()), { limit, before });
      return ok({ letters: page.records.map(letterView), next: nextOf("letters", page) });
    },
    showLetter: ({ id }) =>
      found(id, (record) => (record.state === "dead" ? ok(letterDetail(record)) : noLetter(record))),
    replayLetter: ({ id, by }) =>
      found(id, async (record) => ofReplayed(await replayLetter(record, by, deps), { id, by })),
    dropLetter: ({ id, by }) =>
      found(id, async (record) => {
        if (await dropLetter(record, by, deps)) return ok({ id, status: "dropped", by });
        return await found(id, noLetter);
      }),
    replayLetters: ({ by, body, tell }) => bulk({ action: "replay", by, body, tell }, deps),
    dropLetters: ({ by, body, tell }) => bulk({ action: "drop", by, body, tell }, deps),
    stream: async ({ query, ...by }) => live(feed, livesOf(query), by),
    async listRefusals({ query }) {
      await writtenNotes();
      const { notes, next } = await refusalPage(requests, query, clock.nowMs());
      return ok({ refusals: notes.map(refusalView), next });
    },
    streamRefusals: async ({ query, ...by }) => live(refusals, refusalsOf(query), by),
    async explain({ id }) {
      await writtenNotes();
      const explanation = await explain(id, deps);
      return explanation === null ? problem(404, NOTHING_KNOWN) : ok(explanation);
    },
    async listApprovals({ query }) {
      return ok(await approvalPage(query, { journal, ...deps.approvals }));
    },
    async decideApproval({ id, by, body }) {
      const decided = await deps.approvals.decide({ approvalId: id, by, ...body });
      switch (decided.kind) {
        case "unknown":
          return problem(404, "There is no approval of this id");
        case "no-such-choice":
          return problem(400, decided.message);
        case "over":
          return problem(409, decided.message);
        case "done":
          return ok({ id, state: decided.state, needed: decided.needed, by: `api:${by}` });
      }
    },
    usage: async ({ query }) => ok(await usageOf(query, deps)),
    listConversations: async ({ query }) => ok(await conversationPage(query, deps)),
    showConversation: async ({ id, query, tenant }) =>
      tenant === null || isConversationOf(tenant, id) ? await transcriptOf(id, query, deps) : notOf(tenant),
    exportPerson: async ({ query }) => exportPerson(query, deps),
    erasePerson: async ({ body, by }) => ok(await erasePerson(body, by, deps)),
    listInstallations: async ({ query }) => ok(await installationPage(query, deps, deps.stopping)),
    async removeInstallation({ id, by }) {
      const place = placeIn(id);
      const keeper = place === null ? undefined : deps.installations.get(place.platform);
      const isGone = place !== null && (await keeper?.remove(place.tenant, deps.stopping)) === true;
      if (!isGone) return problem(404, "There is no installation of this id");
      deps.log.info({ installation: id, by }, "installation.removed");
      return ok({ id, status: "removed", by });
    },
    showKillSwitch: async () => ok(killSwitchView(deps)),
    setKillSwitch: async ({ by, body }) => (await setKillSwitch(body, by, deps)) ?? ok(killSwitchView(deps)),
    showLogLevel: async () => ok(logLevelView(deps)),
    setLogLevel: async ({ by, body }) => ok(await setLogLevel(body, by, deps)),
    showLimits: async () => ok(limitsView(deps)),
    setLimits: async ({ by, body }) => ok(await setLimits(body, by, deps)),
    showStatus: async () => ok(await statusView(deps)),
    listReplicas: async () => ok(await replicasView(deps)),
    listBreakers: async () => ok(breakersView(deps)),
    setBreaker: async ({ id, by, body }) => {
      const answer = await setBreaker(id, body, by, deps);
      if (answer === "unknown") return problem(404, "There is no breaker of this name");
      return answer === "too-many" ? problem(400, TOO_MANY_BREAKERS) : ok(answer);
    },
    resetBreaker: async ({ id, by }) => {
      const reset = await resetBreaker(id, by, deps);
      return reset === null ? problem(404, "There is no breaker of this name") : ok(reset);
    },
    listHooks: async () => ok(await hooksView(deps)),
    listDeadHooks: ({ id, query }) => deadHooks(id, query, deps),
    replayHook: (call) => replayHook(call, deps),
    tryHook: ({ id }) => tryHook(id, deps),
    listTools: async ({ query }) => ok(await toolsView(query, deps)),
    listSchedules: async () => ok(await schedulesView(deps)),
    listNotes: async ({ query }) => ok(await notebookPage(query, deps)),
    eraseNotes: ({ id, query, by }) => eraseNotes(id, query, by, deps),
    notify: ({ body, by }) => notify(body, by, deps),
    beginTask: ({ body, by, key, requestId }) => beginTask(body, { by, key, requestId }, deps),
    showTask: ({ id }) => showTask(id, deps),
    checkStore: () => checkStore(deps),
    vacuumStore: () => vacuumStore(deps),
    pruneStore: ({ body }) => pruneStore(body, deps),
    listFinished: async ({ query }) => ok(await finishedPage(query, deps)),
    removeFinished: ({ body }) => removeFinished(body, deps),
    startBackup: ({ query }) => backups.start(query.file ?? null),
    extendBackup: ({ id }) => backups.extend(id),
    endBackup: ({ id }) => backups.end(id),
    listTokens: async () => ok(await tokensView(deps)),
    createToken: ({ body, by }) => createToken(body, by, deps),
    revokeToken: ({ id, by }) => revokeToken(id, by, deps),
    listAudit: async ({ query }) => ok(await auditPage(deps.auditLog, query, clock.nowMs())),
    verifyAudit: async ({ query }) => ok(await auditVerified(deps.auditLog, query)),
    openapi: async () => ok(openApi(deps.version)),
  };
}

const TOO_MANY_BREAKERS = `Expected at most ${BREAKERS_SET_MAX} breakers with rules of their own; put one of them back`;

/** The letters are chosen before the answer begins: what is wrong until then has a status of its own. */
async function bulk(order: BulkOrder, deps: HandlerDeps): Promise<ApiResponse> {
  const wanted = await snapshot(order.body, deps);
  const encoder = new TextEncoder();
  const lines = carryOut(wanted, order, deps);
  const body = ReadableStream.from<Uint8Array>(
    (async function* () {
      for await (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`);
    })(),
  );
  const headers = { "content-type": "application/x-ndjson", "x-accel-buffering": "no" };
  return { status: 200, body, headers };
}

function tooManyStreams(max: number): string {
  return `Expected at most ${max} streams of this replica, got one more`;
}

function ofReplayed(replayed: Replayed, { id, by }: { id: string; by: string }): ApiResponse {
  switch (replayed.kind) {
    case "queued":
      return { status: 202, body: { id, status: "queued", mode: replayed.mode, by } };
    case "refused":
      return problem(422, `Admission refuses it now: ${replayed.why}`);
    case "no-text":
      return problem(409, NO_TEXT);
    case "conflict":
      return problem(409, `The event is ${replayed.record.state} now`);
    case "unknown":
      return unknown();
    case "full":
      return unavailable("QUEUE_FULL: too much is waiting already");
  }
}

function nextOf(list: ListName, { next }: Page): string | null {
  return next === null ? null : cursorOf(list, next);
}

function noLetter({ state }: EventRecord): ApiResponse {
  return problem(409, `Expected a dead letter, got an event that is ${state}`);
}

function unknown(): ApiResponse {
  return problem(404, "There is no event of this id");
}

function ok(body: object): ApiResponse {
  return { status: 200, body };
}
