import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import { LANGUAGES } from "../domain/language.ts";
import { FILE_KINDS } from "../domain/route.ts";
import { isChat, type PlatformModule } from "../ports/platform.ts";
import { budgetsSchema } from "./budgets-schema.ts";
import { commandsSchema } from "./commands-schema.ts";
import { complianceSchema } from "./compliance-schema.ts";
import { hooksSchema } from "./hooks-schema.ts";
import { inboundSchema } from "./inbound-schema.ts";
import { mediaSchema } from "./media-schema.ts";
import { routeModel } from "./model-schema.ts";
import { notifyOf } from "./notify-schema.ts";
import { patternFault } from "./pattern.ts";
import { providersSchema } from "./providers-schema.ts";
import { readOnlyOf } from "./read-only-schema.ts";
import { schedulesOf } from "./schedules-schema.ts";
import {
  agentName,
  apiVersion,
  busy,
  count,
  DAY,
  linkHosts,
  seconds,
  tenantName,
  YEAR,
} from "./schema-parts.ts";
import { storeSchema } from "./store-schema.ts";
import { toolDefaultsSchema } from "./tools-schema.ts";

/**
 * The schema of gateway.yaml; agent-schema.ts has that of agents. What is parsed keeps the snake_case names of the files, so that an
 * option has one name in the file, in the documentation, in errors and in code. Durations are in seconds, as named.
 */

/** Platform ids are text, but YAML reads an unquoted one as a number. */
const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);
const ids = z.array(id).max(10_000);
function oneOrMore<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).min(1).max(1_000)])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[]);
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
    role: oneOrMore(id)
      .optional()
      .describe("Role, or user group, of whoever writes; where the platform tells none, nobody has any."),
    attachment: oneOrMore(z.enum(FILE_KINDS))
      .optional()
      .describe("Kind of a file that comes with it; `any` is every kind."),
    language: oneOrMore(z.enum(LANGUAGES))
      .optional()
      .describe("Language of the text (ISO 639-1); where nobody can tell, as of a word or two, it is none."),
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
    model: routeModel
      .optional()
      .describe(
        "For the runs that it begins, in place of the whole `model` of its agent; nothing of that is kept.",
      ),
    busy: busy
      .optional()
      .describe("What a message does that arrives during a run; absent: as its agent has it."),
  });

const accessShape = {
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
};
const access = z.strictObject(accessShape).prefault({});
/** Where the platform tells which roles people have. */
const accessByRole = z
  .strictObject({
    ...accessShape,
    roles: z
      .union([z.literal("any"), ids])
      .default("any")
      .describe(
        "Roles, or user groups, of which people need one; where the platform tells none, nobody has any.",
      ),
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
export type PlatformSpec = z.output<typeof platformSpec> & {
  readonly access: { readonly roles?: "any" | readonly string[] };
};
/** What holds for a platform of which gateway.yaml says nothing. */
export const PLATFORM_DEFAULTS: PlatformSpec = platformSpec.parse({});

/** The options of each platform: those that all have, and its own, which it alone reads. */
function platformsOf(modules: readonly PlatformModule[]) {
  const configured = modules.filter(isChat);
  const shape = Object.fromEntries(
    configured.map(({ name, options, knowsRoles }) => [
      name,
      z
        .strictObject({ ...platform, ...(knowsRoles === true && { access: accessByRole }), ...options })
        .prefault({}),
    ]),
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
      providers: providersSchema,
      routes: z
        .array(routeOf(modules))
        .min(1)
        .max(1_000)
        .default([{ agent: "assistant" }])
        .describe("The first that matches wins; one without `match` is the default, and last."),
      commands: commandsSchema,
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
          link_hosts: linkHosts
            .default("any")
            .describe(
              "To which hosts answers may link: `any`, or names such as `docs.example.com` and `*.example.com` (those below it). Other addresses are shown as text; with `[]`, all.",
            ),
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
          audit_seconds: seconds(10 * YEAR)
            .default(YEAR)
            .describe("Entries of the audit are kept so long, and 100,000 of them at most."),
          refusals: z
            .int()
            .min(0)
            .max(100_000)
            .default(10_000)
            .describe(
              "So many of the requests that were refused or ignored are kept, and as many that were taken; 0 keeps none.",
            ),
          tenants: z
            .record(tenantName, seconds(10 * YEAR))
            .default({})
            .describe(
              "Seconds that workspaces keep what is over, dead letters too, and memory, by `platform:workspace`; only shorter times than all others have an effect.",
            ),
        })
        .prefault({}),
      read_only: readOnlyOf(modules),
      schedules: schedulesOf(modules),
      hooks: hooksSchema,
      inbound: inboundSchema,
      notify: notifyOf(modules),
      tools: toolDefaultsSchema,
      media: mediaSchema,
      compliance: complianceSchema,
      store: storeSchema,
    })
    .prefault({});

export const gatewayFileOf = (modules: readonly PlatformModule[]) =>
  z.strictObject({
    apiVersion,
    kind: z.literal("Gateway").default("Gateway"),
    spec: gatewaySpecOf(modules),
  });

/** What gateway.yaml says, defaults filled in; names as in the file. */
export type GatewaySpec = z.output<ReturnType<typeof gatewaySpecOf>>;
