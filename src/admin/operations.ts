import type { z } from "zod";
import { decideBody } from "./approvals.ts";
import { breakerBody, limitsBody, logLevelBody } from "./controls.ts";
import { conversationsQuery, eraseBody, exportQuery, transcriptQuery } from "./conversations.ts";
import { HOOK_OPERATIONS } from "./hook-operations.ts";
import { installationsQuery } from "./installations.ts";
import { killSwitchBody } from "./kill-switch.ts";
import { LETTER_OPERATIONS } from "./letter-operations.ts";
import { MAINTENANCE_OPERATIONS } from "./maintenance.ts";
import { NOTE_OPERATIONS } from "./notes.ts";
import { NOTIFY_OPERATIONS } from "./notify.ts";
import {
  approvalsQuery,
  auditQuery,
  auditVerifyQuery,
  backupQuery,
  eventsQuery,
  noQuery,
  refusalStreamQuery,
  refusalsQuery,
  streamQuery,
} from "./requests.ts";
import type { ProblemStatus } from "./responses.ts";
import { SCHEDULE_OPERATIONS } from "./schedules.ts";
import { TASK_OPERATIONS } from "./tasks.ts";
import { TOKEN_OPERATIONS } from "./tokens.ts";
import { TOOL_OPERATIONS } from "./tools.ts";
import { usageQuery } from "./usage.ts";

/** One route of the admin API. The router and `openapi.json` are both made of these. */
export interface Operation {
  readonly method: "get" | "post" | "put" | "delete";
  /** Below /api/v1, parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Takes the header Idempotency-Key. */
  readonly isIdempotent?: true;
  readonly answer: {
    readonly status: 200 | 202;
    readonly type: "application/json" | "application/x-ndjson" | "text/event-stream";
    /** Names of components; of several, each line is one of them. */
    readonly schemas: readonly string[];
    readonly what: string;
  };
  /** Whether a token that is bound to a tenant opens it, for what is of that tenant. */
  readonly isForTenants?: true;
  /** Besides 401 and 403, which any request can get. */
  readonly problems: readonly ProblemStatus[];
}

const JSON_TYPE = "application/json";
const LINES = "application/x-ndjson";

export const OPERATIONS = {
  listEvents: {
    method: "get",
    path: "/events",
    isForTenants: true,
    summary: "Events, newest first",
    query: eventsQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["EventPage"], what: "A page of events." },
    problems: [400, 503],
  },
  showEvent: {
    method: "get",
    path: "/events/{id}",
    isForTenants: true,
    summary: "The whole life of one event",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["EventDetail"], what: "The event." },
    problems: [400, 404, 503],
  },
  replayEvent: {
    method: "post",
    path: "/events/{id}/replay",
    summary: "Run a finished event again, as a new run that says its answer whatever was said before",
    query: noQuery,
    answer: { status: 202, type: JSON_TYPE, schemas: ["Replayed"], what: "It waits for its run." },
    problems: [400, 404, 409, 422, 503],
  },
  ...LETTER_OPERATIONS,
  stream: {
    method: "get",
    path: "/stream",
    isForTenants: true,
    summary: "What becomes of events on all replicas, as it happens",
    query: streamQuery,
    answer: {
      status: 200,
      type: "text/event-stream",
      schemas: ["Life"],
      what: "The data of each event; the event `missed` counts what was left out; comments keep it alive.",
    },
    problems: [400, 503],
  },
  listRefusals: {
    method: "get",
    path: "/refusals",
    summary: "Requests that were refused or ignored, newest first; what was said in them is not kept",
    query: refusalsQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["RefusalPage"], what: "A page of them." },
    problems: [400, 503],
  },
  streamRefusals: {
    method: "get",
    path: "/refusals/stream",
    summary: "Requests that are refused or ignored on all replicas, as it happens",
    query: refusalStreamQuery,
    answer: {
      status: 200,
      type: "text/event-stream",
      schemas: ["Refusal"],
      what: "The data of each request; the event `missed` counts what was left out; comments keep it alive.",
    },
    problems: [400, 503],
  },
  explain: {
    method: "get",
    path: "/explain/{id}",
    summary: "What became of a request or an event, in words",
    query: noQuery,
    answer: {
      status: 200,
      type: JSON_TYPE,
      schemas: ["Explanation"],
      what: "What happened, and what to do.",
    },
    problems: [400, 404, 503],
  },
  listApprovals: {
    method: "get",
    path: "/approvals",
    summary: "What agents ask people before they use a tool, those of the newest runs first",
    query: approvalsQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["ApprovalPage"], what: "A page of them." },
    problems: [400, 503],
  },
  decideApproval: {
    method: "post",
    path: "/approvals/{id}",
    summary: "Approve or deny it, as one of those who have to; the run goes on, on whatever replica",
    query: noQuery,
    body: decideBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Cast"], what: "It counts." },
    problems: [400, 404, 409, 413, 415, 503],
  },
  usage: {
    method: "get",
    path: "/usage",
    summary: "What model calls cost on a day, and the budgets of it",
    query: usageQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Usage"], what: "The day." },
    problems: [400, 503],
  },
  listConversations: {
    method: "get",
    path: "/conversations",
    summary: "Conversations, those heard of last first",
    query: conversationsQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["ConversationPage"], what: "A page of them." },
    problems: [400, 503],
  },
  exportPerson: {
    method: "get",
    path: "/conversations/export",
    summary: "All that is kept of a person",
    query: exportQuery,
    answer: { status: 200, type: LINES, schemas: ["Exported"], what: "A line each." },
    problems: [400, 503],
  },
  erasePerson: {
    method: "post",
    path: "/conversations/erase",
    summary:
      "Delete all that a person wrote and was answered, from the store and its files; cannot be undone",
    query: noQuery,
    body: eraseBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Erasure"], what: "What went, and what is left." },
    problems: [400, 413, 415, 503],
  },
  showConversation: {
    method: "get",
    path: "/conversations/{id}",
    isForTenants: true,
    summary: "What is remembered of one conversation, oldest first",
    query: transcriptQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Transcript"], what: "Its turns." },
    problems: [400, 404, 503],
  },
  listInstallations: {
    method: "get",
    path: "/installations",
    summary: "Workspaces that have installed an app themselves; nothing of their tokens is told",
    query: installationsQuery,
    answer: {
      status: 200,
      type: JSON_TYPE,
      schemas: ["InstallationPage"],
      what: "A page of them, by platform and tenant.",
    },
    problems: [400, 503],
  },
  removeInstallation: {
    method: "delete",
    path: "/installations/{id}",
    summary: "Forget an installation on all replicas, and end its token at the platform",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Removed"], what: "It is removed." },
    problems: [400, 404, 503],
  },
  showKillSwitch: {
    method: "get",
    path: "/kill-switch",
    summary: "What is paused, since when and by whom",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["KillSwitch"], what: "All switches." },
    problems: [400],
  },
  setKillSwitch: {
    method: "put",
    path: "/kill-switch",
    summary: "Pause all replicas, or one agent or platform on all of them, or go on; kept over restarts",
    query: noQuery,
    body: killSwitchBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["KillSwitch"], what: "All switches as they are now." },
    problems: [400, 413, 415, 503],
  },
  showLogLevel: {
    method: "get",
    path: "/log-level",
    summary: "What is logged, and who has set that",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["LogLevel"], what: "The level." },
    problems: [400],
  },
  setLogLevel: {
    method: "put",
    path: "/log-level",
    summary: "Log more or less on all replicas, or as configured again; kept over restarts",
    query: noQuery,
    body: logLevelBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["LogLevel"], what: "The level as it is now." },
    problems: [400, 413, 415, 503],
  },
  showLimits: {
    method: "get",
    path: "/limits",
    summary: "How many messages are let in, and who has set that",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Limits"], what: "All limits." },
    problems: [400],
  },
  setLimits: {
    method: "put",
    path: "/limits",
    summary:
      "Set limits on all replicas in place of the configured ones, or put these back; kept over restarts",
    query: noQuery,
    body: limitsBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Limits"], what: "All limits as they are now." },
    problems: [400, 413, 415, 503],
  },
  showStatus: {
    method: "get",
    path: "/status",
    summary:
      "How the gateway does: what is not well, what waits, what is paused or left alone, what today costs",
    query: noQuery,
    answer: {
      status: 200,
      type: JSON_TYPE,
      schemas: ["Status"],
      what: "All of it, while the store is away too.",
    },
    problems: [400],
  },
  listReplicas: {
    method: "get",
    path: "/replicas",
    summary: "The processes that share the store: role, version, configuration, last seen",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Replicas"], what: "One for each." },
    problems: [400, 503],
  },
  listBreakers: {
    method: "get",
    path: "/breakers",
    summary: "How calls of models and platforms went on this replica, and which are left alone",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Breakers"], what: "One for each." },
    problems: [400],
  },
  setBreaker: {
    method: "put",
    path: "/breakers/{id}",
    summary:
      "Set when a breaker opens and for how long, on all replicas, or put that back; kept over restarts",
    query: noQuery,
    body: breakerBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["BreakerRules"], what: "What holds for it, or would." },
    problems: [400, 404, 413, 415, 503],
  },
  resetBreaker: {
    method: "post",
    path: "/breakers/{id}/reset",
    summary: "Call a model or a platform again on all replicas, as if nothing had failed",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["BreakerReset"], what: "It is called again." },
    problems: [400, 404, 503],
  },
  ...HOOK_OPERATIONS,
  ...SCHEDULE_OPERATIONS,
  ...TOOL_OPERATIONS,
  ...NOTE_OPERATIONS,
  ...NOTIFY_OPERATIONS,
  ...TASK_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...MAINTENANCE_OPERATIONS,
  startBackup: {
    method: "post",
    path: "/backup",
    summary: "Leave a database file of this gateway as it is for a minute, so that it can be copied",
    query: backupQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["Backup"], what: "It is left; what it is." },
    problems: [400, 404, 409],
  },
  extendBackup: {
    method: "put",
    path: "/backup/{id}",
    summary: "Leave it for a minute more",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["HeldBackup"], what: "Whether it is as it was." },
    problems: [400, 404],
  },
  endBackup: {
    method: "delete",
    path: "/backup/{id}",
    summary: "It has been copied",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["HeldBackup"], what: "Whether it is as it was." },
    problems: [400, 404],
  },
  listAudit: {
    method: "get",
    path: "/audit",
    summary: "What was done to the gateway, by whom, newest first",
    query: auditQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["AuditPage"], what: "A page of entries." },
    problems: [400, 503],
  },
  verifyAudit: {
    method: "get",
    path: "/audit/verify",
    summary: "Whether every entry of the audit is as it was written, and follows the one before it",
    query: auditVerifyQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["AuditVerified"], what: "What was found." },
    problems: [400, 503],
  },
  openapi: {
    method: "get",
    path: "/openapi.json",
    summary: "This description",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["OpenApi"], what: "An OpenAPI 3.1 document." },
    problems: [400],
  },
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof OPERATIONS;
