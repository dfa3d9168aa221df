import type { Deed } from "../domain/audit.ts";
import { GatewayError } from "../domain/errors.ts";
import type { Audit } from "../ports/audit.ts";
import { breakerState, type ControlsDeps, limitsView, logLevelView } from "./controls.ts";
import { type KillSwitchDeps, killSwitchView } from "./kill-switch.ts";
import type { OPERATIONS, OperationId } from "./operations.ts";
import type { ApiResponse } from "./responses.ts";

/** Says in the audit what was done, by whoever made this request. */
export type TellAudit = (deed: Pick<Deed, "action" | "subject" | "before" | "after">) => Promise<void>;

export interface AuditedDeps extends KillSwitchDeps, ControlsDeps {
  readonly audit: Audit;
}

type Changing = {
  [Id in OperationId]: (typeof OPERATIONS)[Id]["method"] extends "get" ? never : Id;
}[OperationId];

interface Change {
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Told {
  readonly action: string;
  readonly subject: (change: Change) => string;
  /** What is so, before and after it. */
  readonly state?: (deps: AuditedDeps, change: Change) => unknown;
  /** In place of that, what is known from the request and its answer. */
  readonly after?: (change: Change, answer: Readonly<Record<string, unknown>>) => unknown;
}

const ofId = ({ id }: Change) => id;
const mode = (_: Change, answer: Readonly<Record<string, unknown>>) => ({ mode: answer.mode });
/** All letters that fit; how that has gone is told once it is over. */
const begun = ({ body }: Change) => ({ ...body, ids: Array.isArray(body.ids) ? body.ids.length : undefined });

/** How each operation that changes something is told. Null: it changes nothing that anybody would ask about. */
const TOLD: { readonly [Id in Changing]: Told | null } = {
  replayEvent: { action: "event.replayed", subject: ofId, after: mode },
  replayLetter: { action: "letter.replayed", subject: ofId, after: mode },
  dropLetter: { action: "letter.dropped", subject: ofId, after: () => undefined },
  replayLetters: { action: "letters.replay_begun", subject: () => "dead letters", after: begun },
  dropLetters: { action: "letters.drop_begun", subject: () => "dead letters", after: begun },
  decideApproval: {
    action: "approval.decided",
    subject: ofId,
    after: ({ body }, { state, needed }) => ({ verdict: body.verdict, choice: body.choice, state, needed }),
  },
  removeInstallation: { action: "installation.removed", subject: ofId },
  setKillSwitch: {
    action: "kill_switch.set",
    subject: ({ body: { agent, platform } }) =>
      typeof agent === "string"
        ? `agent:${agent}`
        : typeof platform === "string"
          ? `platform:${platform}`
          : "all",
    state: killSwitchView,
  },
  setLogLevel: { action: "log_level.set", subject: () => "log level", state: logLevelView },
  setLimits: { action: "limits.set", subject: () => "limits", state: limitsView },
  setBreaker: {
    action: "breaker.configured",
    subject: ofId,
    state: (deps, { id }) => breakerState(deps, id),
  },
  resetBreaker: {
    action: "breaker.reset",
    subject: ofId,
    state: ({ breakers }, { id }) => ({ state: breakers().find(({ name }) => name === id)?.state }),
  },
  startBackup: {
    action: "backup.begun",
    subject: () => "store",
    after: (_, { id, bytes }) => ({ id, bytes }),
  },
  replayHook: { action: "hook.replayed", subject: ofId },
  tryHook: null,
  // By the keyed hash of the answer: whom it was about is erased, too.
  erasePerson: {
    action: "conversation.erased",
    subject: () => "person",
    after: (_, { subject, complete }) => ({ person: subject, complete }),
  },
  // By the answer, as when all of a person is erased.
  eraseNotes: {
    action: "notes.erased",
    subject: () => "notes",
    after: (_, { subject, erased }) => ({ owner: subject, erased }),
  },
  // Whoever reads the audit learns that something was said, and not what.
  notify: {
    action: "notice.said",
    subject: ({ body: { to } }) => (typeof to === "string" ? to : "notify"),
    after: ({ body: { text, key } }, { status, to }) => ({
      ...{ status, to, key },
      characters: typeof text === "string" ? text.length : 0,
    }),
  },
  // What it was asked is in its event, for as long as that is kept.
  beginTask: {
    action: "task.begun",
    subject: () => "task",
    after: ({ body: { goal, priority } }, { id, status, agent }) => ({
      ...{ id, status, agent, priority },
      characters: typeof goal === "string" ? goal.length : 0,
    }),
  },
  checkStore: {
    action: "store.checked",
    subject: () => "store",
    after: (_, { whole, events }) => ({ whole, events }),
  },
  vacuumStore: {
    action: "store.vacuumed",
    subject: () => "store",
    after: (_, { bytes_before, bytes_after }) => ({ bytes_before, bytes_after }),
  },
  pruneStore: { action: "store.pruned", subject: () => "store", after: (_, { rows }) => ({ rows }) },
  removeFinished: {
    action: "events.removed",
    subject: () => "events in an archive",
    after: ({ body }, { removed }) => ({
      asked: Array.isArray(body.events) ? body.events.length : 0,
      removed,
    }),
  },
  // Which tenant it opens; the token itself is told to nobody else.
  createToken: {
    action: "token.created",
    subject: ({ body: { tenant } }) => String(tenant),
    after: (_, { id, name, expires_at }) => ({ id, name, expires_at }),
  },
  revokeToken: {
    action: "token.revoked",
    subject: ofId,
    after: (_, { tenant, name }) => ({ tenant, name }),
  },
  extendBackup: null,
  endBackup: {
    action: "backup.ended",
    subject: () => "store",
    after: ({ id }, { still }) => ({ id, still }),
  },
};

/** Does it, and tells the audit, before it is answered, what it has changed, or may have. */
export async function audited(
  operationId: OperationId,
  change: { readonly id: string; readonly body: unknown },
  { tell, act, deps }: { tell: TellAudit; act: () => Promise<ApiResponse>; deps: AuditedDeps },
): Promise<ApiResponse> {
  const told = (TOLD as Readonly<Partial<Record<OperationId, Told | null>>>)[operationId] ?? null;
  const of: Change = { id: change.id, body: (change.body ?? {}) as Change["body"] };
  if (told === null || of.body.dry_run === true) return await act();
  const deed = { action: told.action, subject: told.subject(of) };
  const before = told.state?.(deps, of);
  let answer: ApiResponse;
  try {
    answer = await act();
  } catch (error) {
    // It may have been done, where only the answer was lost.
    const failed = error instanceof GatewayError ? error.code : "internal";
    void tell({ ...deed, ...(before !== undefined && { before }), after: { failed } });
    throw error;
  }
  if (answer.status >= 300) return answer;
  const body = answer.body instanceof ReadableStream ? {} : (answer.body as Record<string, unknown>);
  const after = told.state?.(deps, of) ?? told.after?.(of, body);
  await tell({ ...deed, ...(before !== undefined && { before }), ...(after !== undefined && { after }) });
  return answer;
}
