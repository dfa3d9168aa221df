import { z } from "zod";
import { MEMORY_SCOPES } from "../domain/memory-scope.ts";
import { approvals, approver } from "./approvals-schema.ts";
import { menu } from "./commands-schema.ts";
import { guard } from "./guard-schema.ts";
import { model } from "./model-schema.ts";
import { agentName, apiVersion, busy, count, DAY, seconds, YEAR } from "./schema-parts.ts";
import { tools } from "./tools-schema.ts";

/** Of one run, where nothing is said. */
const RUN_SECONDS = 300;

/** As the model sees them. */
const HAND_OVER_TOOL = "hand_over";
const SEARCH_TOOL = "web_search";

const describedSpec = z.strictObject({
  model,
  system_prompt: z.string().max(100_000).default("You are a helpful assistant in a team chat.\n"),
  tools,
  memory: z
    .strictObject({
      backend: z
        .enum(["memory", "in_memory", "redis", "sqlite", "sled", "file"])
        .optional()
        .describe("As other agent files say it. Memory is kept with the events: in SQLite, or in Redis."),
      scope: z
        .enum(MEMORY_SCOPES)
        .default("thread")
        .describe(
          "What is remembered together: `thread` each conversation by itself, `user` all that one person says to the agent in their workspace, `channel` all threads of a channel.",
        ),
      direct: z
        .enum(["apart", "shared"])
        .default("apart")
        .describe(
          "Of `scope: user`: `shared` shows what somebody said in direct messages also where others read, and the other way round.",
        ),
      ttl_seconds: seconds(10 * YEAR)
        .default(604_800)
        .describe("What was said longer ago is forgotten."),
      max_messages: count(0, 10_000)
        .default(200)
        .describe("Messages of the conversation that the model is shown."),
      compact_at: z
        .number()
        .min(0.1)
        .max(1)
        .optional()
        .describe(
          "The model makes a summary of the older messages when what it is shown would be more than this share of `context_tokens`, or else of its context window: 0.8 when nothing is said. Where it is set, also when `budgets.tokens` has no room for them.",
        ),
      context_tokens: count(100, 100_000_000)
        .optional()
        .describe(
          "How many tokens memory and the message may take together, for `compact_at`; for models whose context window is not known, or is more than should be paid for.",
        ),
    })
    .superRefine(({ scope, direct }, context) => {
      if (direct === "apart" || scope === "user") return;
      const message = `expected direct: shared with scope: user alone, got it with ${scope}`;
      context.addIssue({ code: "custom", path: ["direct"], message });
    })
    .prefault({}),
  cache: z
    .union([
      z.literal("off"),
      z.strictObject({
        ttl_seconds: seconds(DAY).default(3_600).describe("So long an answer may be given again."),
      }),
    ])
    .default("off")
    .describe(
      "Whether an answer is given again, without asking the model, when it would be shown exactly the same in the same conversation. Only answers for which no tool was called; or `off`.",
    ),
  limits: z
    .strictObject({
      max_iterations: count(1, 1_000).default(50).describe("Model calls in one run."),
      max_execution_time_seconds: seconds(DAY).optional().describe("Another name of `budgets.time_seconds`."),
    })
    .prefault({}),
  budgets: z
    .strictObject({
      time_seconds: seconds(DAY)
        .optional()
        .describe(
          "Time of one run, 300 when nothing is said. Of this and `limits.max_execution_time_seconds` the one that is set holds; of both, the shorter.",
        ),
      tokens: count(1, 1_000_000_000).default(10_000).describe("Tokens of one run, read and written."),
      cost_cents: z.number().min(0).max(1_000_000).default(100).describe("US cents of one run."),
      grace_seconds: z
        .number()
        .min(0)
        .max(3_600)
        .default(10)
        .describe(
          "When the time is over, an answer that is being given has so long to come to its end; nothing else is begun.",
        ),
    })
    .prefault({}),
  retry: z
    .strictObject({
      max_attempts: count(1, 20).default(3).describe("Tries of one model call."),
      backoff_seconds: z.number().min(0).max(3_600).default(5),
      exponential: z.boolean().default(true).describe("Double the wait after each try."),
    })
    .prefault({}),
  approvals,
  guard,
  preview: z
    .enum(["on", "off"])
    .default("on")
    .describe(
      "Whether an answer is shown while it grows, on platforms that have a `preview` in gateway.yaml.",
    ),
  choices: z
    .enum(["on", "off"])
    .default("off")
    .describe(
      "Whether the model is told how to end an answer with choices, which become buttons. One that ends so by itself needs no telling.",
    ),
  menu: menu
    .optional()
    .describe("What it offers to begin with: below /help, and in answer to a message without any words."),
  hand_over: z
    .array(
      z.union([
        agentName,
        z.strictObject({
          agent: agentName,
          when: z.string().min(1).max(500).describe("What the other is for, for the model."),
        }),
      ]),
    )
    .max(50)
    .default([])
    .describe("Agents to whom it may hand a conversation over, by its tool `hand_over`."),
  chosen_by: z
    .union([z.enum(["routes", "any", "none"]), z.array(approver).min(1).max(1_000)])
    .default("routes")
    .describe(
      "Who may ask for it by name (`@agent:NAME`, `/agent NAME`): `routes`, whoever a route to it reaches in that place, whatever has to be said for it; `any` who may use the bot; `none`; or people and roles as approvers are named.",
    ),
  busy: busy
    .default("queue")
    .describe(
      "What a message does that arrives during a run: `queue` waits its turn, `collect` is answered together with what else waits (as `{ mode: collect, quiet_ms: 1500 }` once nothing has come for so long), `interrupt` ends the run and is answered with it, `steer` reaches the run before its next call of the model, `drop` is refused, and the person is told once a run.",
    ),
});

function withoutToolsOfOurs(
  spec: {
    readonly model: {
      readonly provider: string;
      readonly server_tools?: { readonly web_search?: object | undefined } | undefined;
    };
    readonly tools: readonly { readonly name: string }[];
    readonly hand_over: readonly unknown[];
    readonly guard?: object | undefined;
  },
  context: z.RefinementCtx,
): void {
  const issue = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
  const taken = spec.tools.findIndex(({ name }) => name === HAND_OVER_TOOL);
  if (spec.hand_over.length > 0 && taken >= 0)
    issue(
      ["tools", taken, "name"],
      "expected another name: with hand_over, the agent has a tool of that name",
    );
  const second = spec.tools.findIndex(({ name }) => name === SEARCH_TOOL);
  if (spec.model.server_tools?.web_search !== undefined && second >= 0)
    issue(
      ["tools", second, "name"],
      "expected another name: with server_tools, the model has a tool of that name",
    );
  if (spec.model.provider === "http" && spec.hand_over.length > 0)
    issue(["hand_over"], "expected none with provider: http, whose agent brings its own tools, got some");
  if (spec.model.provider === "http" && spec.guard !== undefined)
    issue(["guard"], "expected none with provider: http, whose agent brings its own tools, got one");
  if (spec.model.provider !== "http" || spec.tools.length === 0) return;
  issue(["tools"], "expected no tools with provider: http, whose agent brings its own, got some");
}

/** Of a time limit with two names: the one that was set is the other, too. */
const agentSpec = describedSpec.superRefine(withoutToolsOfOurs).transform(({ limits, budgets, ...spec }) => {
  const set = [limits.max_execution_time_seconds, budgets.time_seconds] as const;
  const [max_execution_time_seconds = RUN_SECONDS, time_seconds = RUN_SECONDS] = [
    set[0] ?? set[1],
    set[1] ?? set[0],
  ];
  return {
    ...spec,
    limits: { ...limits, max_execution_time_seconds },
    budgets: { ...budgets, time_seconds },
  };
});

const labels = z
  .record(
    z.string().min(1).max(200),
    z.union([z.string().max(1_000), z.number(), z.boolean()]).transform(String),
  )
  .optional()
  .describe("For whoever reads the file: `{ team: platform }`.");
const agent = z.strictObject({
  apiVersion,
  kind: z.literal("Agent").default("Agent"),
  metadata: z.strictObject({ name: agentName, labels }),
  spec: agentSpec,
});
export const agentFile = agent;
export const agentListFile = z.strictObject({
  apiVersion,
  kind: z.literal("AgentList"),
  items: z.array(agent).min(1).max(500),
});

/** What the `spec` of an agent says, defaults filled in; names as in the file. */
export type AgentSpec = z.output<typeof agentSpec>;
export type AgentFile = z.output<typeof agent>;
