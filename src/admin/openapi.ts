import { z } from "zod";
import { lifeSchema } from "../feed/life.ts";
import { refusalSchema } from "../feed/refusal.ts";
import { approvalPageSchema, approvalSchema, castSchema } from "./approvals.ts";
import { auditPageSchema, auditVerifiedSchema } from "./audit.ts";
import { backupSchema, heldBackupSchema } from "./backup.ts";
import { KEY_CHARS_MAX, OPERATOR_CHARS_MAX } from "./bounds.ts";
import {
  breakerResetSchema,
  breakerRulesSchema,
  breakersSchema,
  limitsSchema,
  logLevelSchema,
} from "./controls.ts";
import { conversationPageSchema, erasureSchema, exportedSchema, transcriptSchema } from "./conversations.ts";
import { explanationSchema } from "./explain.ts";
import { deadHookPageSchema, hooksSchema, hookTrialSchema, replayedHooksSchema } from "./hooks.ts";
import { installationPageSchema, installationSchema, removedSchema } from "./installations.ts";
import { killSwitchSchema } from "./kill-switch.ts";
import { liveFrameSchema } from "./live/words.ts";
import {
  checkedSchema,
  finishedPageSchema,
  prunedSchema,
  removedSchema as removedEventsSchema,
  vacuumedSchema,
} from "./maintenance.ts";
import { erasedNotesSchema, notebookPageSchema } from "./notes.ts";
import { noticeSchema } from "./notify.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { replicasSchema } from "./replicas.ts";
import { streamQuery } from "./requests.ts";
import type { ProblemStatus } from "./responses.ts";
import { schedulesSchema } from "./schedules.ts";
import {
  bulkEndSchema,
  bulkLineSchema,
  droppedSchema,
  errorSchema,
  eventDetailSchema,
  eventPageSchema,
  eventSchema,
  letterDetailSchema,
  letterPageSchema,
  letterSchema,
  refusalPageSchema,
  replayedSchema,
} from "./schemas.ts";
import { statusSchema } from "./status.ts";
import { taskBegunSchema, taskSchema } from "./tasks.ts";
import { madeTokenSchema, revokedTokenSchema, tokensSchema } from "./tokens.ts";
import { toolsSchema } from "./tools.ts";
import { usageSchema } from "./usage.ts";

const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Event: eventSchema,
  EventDetail: eventDetailSchema,
  EventPage: eventPageSchema,
  Letter: letterSchema,
  LetterDetail: letterDetailSchema,
  LetterPage: letterPageSchema,
  Replayed: replayedSchema,
  Dropped: droppedSchema,
  BulkLine: bulkLineSchema,
  BulkEnd: bulkEndSchema,
  Life: lifeSchema,
  LiveFrame: liveFrameSchema,
  Refusal: refusalSchema,
  RefusalPage: refusalPageSchema,
  Explanation: explanationSchema,
  Approval: approvalSchema,
  ApprovalPage: approvalPageSchema,
  Cast: castSchema,
  Usage: usageSchema,
  AuditPage: auditPageSchema,
  AuditVerified: auditVerifiedSchema,
  KillSwitch: killSwitchSchema,
  LogLevel: logLevelSchema,
  Limits: limitsSchema,
  Breakers: breakersSchema,
  Status: statusSchema,
  Replicas: replicasSchema,
  Schedules: schedulesSchema,
  Tools: toolsSchema,
  Notice: noticeSchema,
  Task: taskSchema,
  TaskBegun: taskBegunSchema,
  Hooks: hooksSchema,
  DeadHookPage: deadHookPageSchema,
  ReplayedHooks: replayedHooksSchema,
  HookTrial: hookTrialSchema,
  BreakerReset: breakerResetSchema,
  BreakerRules: breakerRulesSchema,
  Backup: backupSchema,
  HeldBackup: heldBackupSchema,
  ConversationPage: conversationPageSchema,
  Transcript: transcriptSchema,
  Exported: exportedSchema,
  Erasure: erasureSchema,
  NotebookPage: notebookPageSchema,
  ErasedNotes: erasedNotesSchema,
  Tokens: tokensSchema,
  MadeToken: madeTokenSchema,
  RevokedToken: revokedTokenSchema,
  StoreChecked: checkedSchema,
  StoreVacuumed: vacuumedSchema,
  StorePruned: prunedSchema,
  FinishedPage: finishedPageSchema,
  FinishedRemoved: removedEventsSchema,
  Installation: installationSchema,
  InstallationPage: installationPageSchema,
  Removed: removedSchema,
  Error: errorSchema,
  OpenApi: z.looseObject({ openapi: z.string() }),
};

const PROBLEMS: Readonly<Record<ProblemStatus, string>> = {
  400: "The request is not what was expected; the message says what was.",
  401: "The bearer token is missing or wrong.",
  403: "The token is bound to a tenant, and this is not for it, or of another tenant.",
  404: "There is nothing of this id.",
  409: "The event is in another state, the approval was decided, or another request came by this key; the message says how.",
  413: "The body is too large.",
  415: "The body is no application/json.",
  422: "Admission does not let the event run now; the message says why.",
  426: "The request is no handshake of a WebSocket.",
  429: "Too many wrong tokens from this address, the right one is still taken; or too many requests with one that is bound to a tenant.",
  500: "A fault of the gateway; its log has it.",
  503: "The store is away, too much is waiting, or there are too many streams; try again after `Retry-After` seconds.",
};

/** The OpenAPI document of the admin API. */
export function openApi(version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Parley admin API",
      version,
      description: "What happened to each message, dead letters, and replay. Times are ISO 8601 in UTC.",
    },
    servers: [{ url: "/api/v1" }],
    security: [{ token: [] }],
    paths: { ...pathsOf(Object.entries(OPERATIONS)), "/ws": live() },
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description:
            "PARLEY_ADMIN_TOKEN of the gateway; where `x-tenant-token` says so, a token of POST /tokens too, for its tenant alone.",
        },
      },
      schemas: componentSchemas(),
    },
  };
}

/** Beside the API, and no route of it: a request becomes a connection there. */
function live(): object {
  const problems = [400, 401, 403, 426, 429, 503] as const;
  return {
    servers: [{ url: "/" }],
    get: {
      operationId: "live",
      summary: "Live events over WebSocket: what becomes of events on all replicas, as it happens",
      "x-tenant-token": true,
      parameters: parametersOf({ method: "get", path: "/ws", query: streamQuery }),
      responses: {
        101: {
          description: "Each text message is one of these; what a client may say is in docs/live-events.md.",
          content: { "application/json": { schema: { $ref: reference("LiveFrame") } } },
        },
        ...Object.fromEntries(problems.map((status) => [status, problemOf(status)])),
      },
    },
  };
}

function pathsOf(operations: readonly (readonly [string, Operation])[]): Record<string, object> {
  const paths: Record<string, Record<string, object>> = {};
  for (const [operationId, operation] of operations) {
    paths[operation.path] ??= {};
    Object.assign(paths[operation.path] ?? {}, { [operation.method]: operationOf(operationId, operation) });
  }
  return paths;
}

function operationOf(operationId: string, operation: Operation): object {
  const { summary, body, answer, problems, isForTenants = false } = operation;
  return {
    operationId,
    summary,
    ...(isForTenants && { "x-tenant-token": true }),
    parameters: parametersOf(operation),
    ...(body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } },
    }),
    responses: {
      [answer.status]: {
        description: answer.what,
        content: { [answer.type]: { schema: answerSchema(answer.schemas) } },
      },
      ...Object.fromEntries(
        ([401, 403, 429, ...problems] as const).map((status) => [status, problemOf(status)]),
      ),
    },
  };
}

function parametersOf({
  method,
  path,
  query,
  isIdempotent,
}: Pick<Operation, "method" | "path" | "query" | "isIdempotent">): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    description: "URL-encoded.",
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query.shape).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema as z.ZodType);
    return { name, in: "query", required: false, ...(description && { description }), schema: rest };
  });
  const operator = {
    name: "X-Parley-Operator",
    in: "header",
    required: false,
    description: "Who does it, for the record.",
    schema: { type: "string", default: "admin", maxLength: OPERATOR_CHARS_MAX },
  };
  const key = {
    name: "Idempotency-Key",
    in: "header",
    required: false,
    description: "The same request by the same key, within a week, is carried out once.",
    schema: { type: "string", maxLength: KEY_CHARS_MAX },
  };
  return [
    ...inPath,
    ...inQuery,
    ...(method === "get" ? [] : [operator]),
    ...(isIdempotent === true ? [key] : []),
  ];
}

function answerSchema(names: readonly string[]): object {
  const refs = names.map((name) => ({ $ref: reference(name) }));
  return refs.length === 1 ? { ...refs[0] } : { oneOf: refs };
}

function problemOf(status: ProblemStatus): object {
  return {
    description: PROBLEMS[status],
    content: { "application/json": { schema: { $ref: reference("Error") } } },
  };
}

function schemaOf(schema: z.ZodType): { description?: string } {
  const described = z.toJSONSchema(schema, { io: "input" });
  delete described.$schema;
  return described;
}

/** Schemas that hold one another refer to it by name. */
function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: reference });
  for (const schema of Object.values(schemas)) {
    delete schema.$schema;
    delete schema.$id;
  }
  return schemas;
}

function reference(name: string): string {
  return `#/components/schemas/${name}`;
}
