import { type AdminApi, type AdminDeps, createAdminApi } from "../admin/index.ts";
import { admit } from "../admit/admit.ts";
import type { AdmissionPolicy } from "../admit/policy.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { LifeFeed } from "../feed/life-feed.ts";
import type { RefusalFeed } from "../feed/refusal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Tokens } from "../ports/tokens.ts";
import type { Secret } from "../shared/secret.ts";
import { createFeedback } from "../store/feedback.ts";
import { createNotebooks } from "../store/notebooks.ts";
import { createQuestions } from "../store/questions.ts";
import type { Logger } from "../telemetry/log.ts";
import { operatorsWord } from "./approvals.ts";
import { subjectOf } from "./persons.ts";

export interface AdminSetup {
  readonly store: Pick<
    Store,
    "journal" | "archive" | "lanes" | "requests" | "purse" | "vault" | "audit" | "upkeep"
  >;
  readonly audit: AdminDeps["audit"];
  /** As it is now. */
  readonly policy: () => AdmissionPolicy;
  /** Null: the API is off. */
  readonly token: Secret | null;
  readonly tokens: Tokens;
  readonly callers: AdminDeps["callers"];
  readonly wrongToken: AdminDeps["wrongToken"];
  readonly agents: AdminDeps["agents"];
  readonly killSwitch: AdminDeps["killSwitch"];
  readonly controls: AdminDeps["controls"];
  readonly breakers: AdminDeps["breakers"];
  readonly configuredLimits: AdminDeps["configuredLimits"];
  readonly hooks: AdminDeps["hooks"];
  readonly notices: AdminDeps["notices"];
  readonly schedules: AdminDeps["schedules"];
  readonly tasks: AdminDeps["tasks"];
  readonly tools: AdminDeps["tools"];
  readonly still: AdminDeps["still"];
  readonly siblings: AdminDeps["siblings"];
  readonly housekeeping: AdminDeps["housekeeping"];
  readonly ready: AdminDeps["ready"];
  readonly replicas: AdminDeps["replicas"];
  readonly privacy: AdminDeps["privacy"];
  readonly feed: LifeFeed;
  readonly refusals: RefusalFeed;
  readonly budgets: AdminDeps["budgets"];
  readonly writeNotes: () => Promise<void>;
  readonly clock: Clock;
  readonly newId: AdminDeps["newId"];
  readonly log: Logger;
  readonly metrics: AdminDeps["metrics"];
  readonly version: string;
  readonly wordsOf: AdminDeps["wordsOf"];
  readonly installations: AdminDeps["installations"];
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

/** The operator's API. What it replays must pass admission as it is now; only rate limits are for new messages. */
export function buildAdmin({ store, policy, ...context }: AdminSetup): AdminApi {
  const refusalOf = (event: TriggerEvent) => {
    const admission = admit(event, policy(), context.clock.nowMs());
    if (admission.kind === "ignored") return admission.reason;
    const { refusal } = admission.offer;
    return refusal && `${refusal.cause}: ${refusal.detail}`;
  };
  const { journal, archive, lanes, requests, purse } = store;
  const questions = createQuestions(store.vault);
  const approvals = { questions, decide: operatorsWord(store, questions, context.clock) };
  const feedback = createFeedback(store.vault, context.clock);
  return createAdminApi({
    ...context,
    feedback,
    stats: () => journal.stats(),
    journal,
    archive,
    lanes,
    requests,
    purse,
    upkeep: store.upkeep,
    auditLog: store.audit,
    approvals,
    notebooks: createNotebooks(store.vault),
    refusalOf,
    subjectOf: (person) => subjectOf(person, context.token),
  });
}
