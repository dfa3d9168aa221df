import { z } from "zod";
import { BUSY_MODES } from "../domain/busy.ts";
import { PLATFORMS } from "../domain/event.ts";
import type { PlatformModule } from "../ports/platform.ts";
import { approvals } from "./approvals-schema.ts";
import { budgetsSchema } from "./budgets-schema.ts";
import { patternFault } from "./pattern.ts";
import { storeSchema } from "./store-schema.ts";

/**
 * The one schema of all configuration files. What is parsed keeps the snake_case names of the files, so that an
 * option has one name in the file, in the documentation, in errors and in code. Durations are in seconds, as named.
 */

const apiVersion = z
  .literal("parley/v1")
  .default("parley/v1")
  .describe("Version of the file format; `parley/v1` is the only one.");
const count = (min: number, max: number) => z.int().min(min).max(max);
const seconds = (max: number) => count(1, max);
const DAY = 86_400;
const YEAR = 366 * DAY;

/** Platform ids are text, but YAML reads an unquoted one as a number. */
const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);
const ids = z.array(id).max(10_000);
const agentName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: "expected 1 to 63 letters, digits, dots, dashes or underscores, the first a letter or digit",
});

function oneOrMore<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).min(1).max(1_000)])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[]);
}

function notYet(available: readonly string[], later: readonly string[]) {
  return (issue: { input?: unknown }) =>
    later.includes(String(issue.input))
      ? `expected ${available.join(" or ")}, got "${String(issue.input)}", which is not available in this version`
      : `expected ${available.join(" or ")}`;
}

// kind: Gateway

const rateLimit = z.strictObject({
  messages: count(1, 1_000_000).describe("Messages let through in `per_seconds`, evenly spread."),
  per_seconds: seconds(DAY).default(60),
  burst: count(1, 1_000_000)
    .optional()
    .describe("Messages let through at once before they are spread; as many as `messages` when absent."),
});
const limit = (messages: number, what: string) =>
  z
    .union([z.literal("off"), rateLimit])
    .default({ messages, per_seconds: 60 })
    .describe(`${what}, or \`off\`.`);

const limits = z
  .strictObject({
    user: limit(20, "Messages of one person"),
    conversation: limit(60, "Messages in one conversation"),
    tenant: limit(600, "Messages of one workspace, server or business account"),
    global: limit(6_000, "Messages of everyone together"),
  })
  .prefault({})
  .describe("A person over a limit is told once per window. All four are checked, all or nothing.");

const busy = z.enum(BUSY_MODES);

const matchOf = (modules: readonly PlatformModule[]) =>
  z.strictObject({
    platform: oneOrMore(z.enum(PLATFORMS)).optional(),
    tenant: oneOrMore(id)
      .optional()
      .describe(`${modules.flatMap(({ tenant }) => tenant ?? []).join(", ")}.`),
    channel: oneOrMore(id).optional().describe("Channel, chat or phone number."),
    command: oneOrMore(z.string().min(1).max(200))
      .optional()
      .describe("Slash command or button id, such as `/deploy`."),
    pattern: oneOrMore(
      z
        .string()
        .min(1)
        .max(500)
        .superRefine((pattern, context) => {
          const fault = patternFault(pattern);
          if (fault !== null) context.addIssue({ code: "custom", message: fault });
        }),
    )
      .optional()
      .describe(
        "Regular expression (RE2 syntax) searched in the first 1,000 characters, whatever the case of letters; `^` and `$` are its ends.",
      ),
  });
const routeOf = (modules: readonly PlatformModule[]) =>
  z.strictObject({
    match: matchOf(modules)
      .optional()
      .describe("All that is named must fit; of a list, one is enough. Without `match`: every message."),
    agent: agentName.describe("Name of the agent that answers."),
    busy: busy
      .optional()
      .describe("What a message does that arrives during a run; absent: as its agent has it."),
  });

const access = z
  .strictObject({
    tenants: z
      .union([z.literal("any"), ids])
      .default("any")
      .describe("Workspaces, servers or accounts that may use the bot."),
    channels: z
      .union([z.literal("any"), ids])
      .default("any")
      .describe("Channels where the bot answers."),
    users: z
      .union([z.literal("any"), ids])
      .default("any")
      .describe("People who may use the bot."),
    direct_messages: z
      .union([z.enum(["allow", "deny"]), ids])
      .default("allow")
      .describe("Direct messages: from everyone, from no one, or from these people."),
    bots: z
      .union([z.enum(["none", "any"]), ids])
      .default("none")
      .describe("Other bots that may start a run."),
  })
  .prefault({});
const platform = {
  enabled: z
    .union([z.literal("auto"), z.literal(false)])
    .default("auto")
    .describe("`auto`: on when its secrets are present. `false`: off in any case."),
  access,
  respond_to: z
    .enum(["mention", "all"])
    .default("mention")
    .describe("In rooms: only when named, or to every message."),
  dedup_seconds: seconds(YEAR)
    .default(604_800)
    .describe("How long a delivery is remembered, so that the same one never runs twice."),
  buttons: z
    .enum(["run", "ignore"])
    .default("run")
    .describe("Whether a press on a button, a choice or a sent form starts a run."),
};
const platformSpec = z.strictObject(platform);
export type PlatformSpec = z.output<typeof platformSpec>;
/** What holds for a platform of which gateway.yaml says nothing. */
export const PLATFORM_DEFAULTS: PlatformSpec = platformSpec.parse({});

/** The options of each platform: those that all have, and its own, which it alone reads. */
function platformsOf(modules: readonly PlatformModule[]) {
  const configured = modules.filter(({ isForDevelopers }) => isForDevelopers !== true);
  const shape = Object.fromEntries(
    configured.map(({ name, options }) => [name, z.strictObject({ ...platform, ...options }).prefault({})]),
  ) as unknown as Readonly<Record<string, z.ZodPrefault<typeof platformSpec>>>;
  return z.strictObject(shape).prefault({});
}

const gatewaySpecOf = (modules: readonly PlatformModule[]) =>
  z
    .strictObject({
      kill_switch: z
        .boolean()
        .default(false)
        .describe("Pause: messages are answered that the bot is paused."),
      max_age_seconds: z
        .union([z.literal("off"), seconds(YEAR)])
        .default(DAY)
        .describe("An older event is recorded, not run; or `off`."),
      limits,
      budgets: budgetsSchema,
      routes: z
        .array(routeOf(modules))
        .min(1)
        .max(1_000)
        .default([{ agent: "assistant" }])
        .describe("The first that matches wins; one without `match` is the default, and last."),
      platforms: platformsOf(modules),
      queue: z
        .strictObject({
          concurrency: count(1, 10_000).default(100).describe("Conversations answered at the same time."),
          waiting_per_conversation: count(1, 100_000)
            .default(100)
            .describe("Messages waiting in one conversation; one more is answered 503."),
          waiting: count(1, 10_000_000).default(100_000).describe("Messages waiting in all conversations."),
        })
        .prefault({}),
      replies: z
        .strictObject({
          in_doubt: z
            .enum(["resend_marked", "leave"])
            .default("resend_marked")
            .describe(
              "A reply of which nobody can tell whether it was sent: send it again with a mark, or not.",
            ),
          attempts: count(1, 100)
            .default(12)
            .describe("Failures of a run, and again of saying its answer, before it is a dead letter."),
        })
        .prefault({}),
      notices: z
        .strictObject({
          window_seconds: seconds(DAY)
            .default(600)
            .describe("A person hears of a refusal once in this time, a conversation of a wait."),
          waiting_seconds: z
            .union([z.literal("off"), seconds(3_600)])
            .default(30)
            .describe(
              "Who has waited this long for a model that cannot be reached is told so, in one line; or `off`.",
            ),
        })
        .prefault({}),
      retention: z
        .strictObject({
          finished_seconds: seconds(10 * YEAR)
            .default(604_800)
            .describe("Finished and dropped events are kept so long."),
          dead_seconds: seconds(10 * YEAR)
            .default(2_592_000)
            .describe("Dead letters are kept so long."),
          refusals: z
            .int()
            .min(0)
            .max(100_000)
            .default(10_000)
            .describe(
              "So many of the requests that were refused or ignored are kept, and as many that were taken; 0 keeps none.",
            ),
        })
        .prefault({}),
      store: storeSchema,
    })
    .prefault({});

export const gatewayFileOf = (modules: readonly PlatformModule[]) =>
  z.strictObject({
    apiVersion,
    kind: z.literal("Gateway").default("Gateway"),
    spec: gatewaySpecOf(modules),
  });

// kind: Agent

/** Of one run, where nothing is said. */
const RUN_SECONDS = 300;

interface Named {
  readonly provider: string;
  readonly model?: string | undefined;
}

/** There is only one demo model. */
function isNamed({ provider, model }: Named, context: z.RefinementCtx): void {
  if (model === undefined && provider !== "demo")
    context.addIssue({ code: "custom", path: ["model"], message: "expected text" });
}

function named<T extends Named>(spec: T): T & { model: string } {
  return { ...spec, model: spec.model ?? spec.provider };
}

const dollars = z.number().min(0).max(1_000_000);
const price = z
  .strictObject({
    input_per_million: dollars,
    output_per_million: dollars,
    cache_read_per_million: dollars
      .optional()
      .describe("As `input_per_million` when absent, so that a cost is never too low."),
    cache_write_per_million: dollars.optional().describe("1.25 times `input_per_million` when absent."),
  })
  .describe(
    "US dollars per million tokens, for a model whose price is not known, or with your own contract.",
  );
const PROVIDERS = ["anthropic", "demo"] as const;
const provider = z.enum(PROVIDERS, { error: notYet(PROVIDERS, ["openai", "http", "bedrock"]) });
const modelName = z.string().min(1).max(200);
const fallback = z.strictObject({ provider, model: modelName.optional(), price: price.optional() });
const MODEL_EXAMPLE = "expected a mapping such as { provider: anthropic, model: claude-sonnet-5 }";
const model = z.strictObject(
  {
    provider: provider.describe("`anthropic`, or `demo`, which needs no key and repeats what it is told."),
    model: modelName.optional().describe("The provider's name of the model; `demo` needs none."),
    max_tokens: count(1, 1_000_000).default(4_096).describe("Longest single answer of the model."),
    timeout_seconds: seconds(3_600).default(300).describe("Longest single call of the model."),
    fallback: z
      .array(fallback.superRefine(isNamed).transform(named))
      .max(5)
      .default([])
      .describe("Models asked in this order when the one before cannot answer."),
    price: price.optional(),
  },
  { error: ({ code }) => (code === "invalid_type" ? MODEL_EXAMPLE : undefined) },
);

const describedSpec = z.strictObject({
  model: model.superRefine(isNamed).transform(named),
  system_prompt: z.string().max(100_000).default("You are a helpful assistant in a team chat.\n"),
  tools: z
    .array(z.unknown())
    .max(0, { error: "expected an empty list, because tools are not available in this version" })
    .default([])
    .transform((): readonly never[] => []),
  memory: z
    .strictObject({
      ttl_seconds: seconds(10 * YEAR)
        .default(604_800)
        .describe("What was said longer ago is forgotten."),
      max_messages: count(0, 10_000)
        .default(200)
        .describe("Messages of the conversation that the model is shown."),
    })
    .prefault({}),
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
  preview: z
    .enum(["on", "off"])
    .default("on")
    .describe(
      "Whether an answer is shown while it grows, on platforms that have a `preview` in gateway.yaml.",
    ),
  busy: busy
    .default("queue")
    .describe(
      "What a message does that arrives during a run: `queue` waits its turn, `collect` is answered together with what else waits, `interrupt` ends the run and is answered with it, `steer` reaches the run before its next call of the model, `drop` is refused, and the person is told once a run.",
    ),
});

/** Of a time limit with two names: the one that was set is the other, too. */
const agentSpec = describedSpec.transform(({ limits, budgets, ...spec }) => {
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

const agent = z.strictObject({
  apiVersion,
  kind: z.literal("Agent").default("Agent"),
  metadata: z.strictObject({ name: agentName }),
  spec: agentSpec,
});
export const agentFile = agent;
export const agentListFile = z.strictObject({
  apiVersion,
  kind: z.literal("AgentList"),
  items: z.array(agent).min(1).max(500),
});

/** What gateway.yaml says, defaults filled in; names as in the file. */
export type GatewaySpec = z.output<ReturnType<typeof gatewaySpecOf>>;
/** What the `spec` of an agent says, defaults filled in; names as in the file. */
export type AgentSpec = z.output<typeof agentSpec>;
export type AgentFile = z.output<typeof agent>;
/** One of the four limits; `off` lets everything through. */
export type LimitSpec = GatewaySpec["limits"]["user"];
/** US dollars per million tokens. */
export type PriceSpec = z.output<typeof price>;
