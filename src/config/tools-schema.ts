import { z } from "zod";
import type { Secret } from "../shared/secret.ts";
import { toolApprovals } from "./approvals-schema.ts";
import { patternFault } from "./pattern.ts";
import { agentName, count, seconds } from "./schema-parts.ts";

/** What an agent may use: MCP servers, fixed commands, and what is built in. */

const EFFECTS = ["read", "write", "delete"] as const;
const effect = z.enum(EFFECTS);

/** The model sees `name`, or `name__tool`: so it has no two underscores in a row. */
const toolName = z.string().regex(/^[A-Za-z](?:_?[A-Za-z0-9-]){0,30}$/, {
  error: "expected 1 to 31 letters, digits and dashes, single underscores between them, the first a letter",
});
/** With `*` for any characters, and nothing else that means more than itself. */
const glob = z.string().min(1).max(200);
const globs = z.array(glob).max(200);
const text = (charsMax: number) => z.string().max(charsMax);
const timeout_seconds = seconds(3_600).default(30).describe("Of one call, with all that is repeated of it.");

/** Of a variable it is kept out of all that is logged or said; see tool-secrets.ts. */
const values = (name: RegExp, words: string) =>
  z
    .record(
      z.string().regex(name, { error: words }),
      z.union([text(10_000), z.number(), z.boolean()]).transform(String),
    )
    .transform((all): Readonly<Record<string, string | Secret>> => all);
const env = values(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, "expected the name of a variable")
  .default({})
  .describe("Variables of its process, beside PATH, HOME and a few like them; nothing else is handed on.");
const headers = values(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, "expected the name of a header").default({});

const url = z.string().superRefine((value, context) => {
  const parsed = URL.parse(value);
  const isHttp = parsed?.protocol === "http:" || parsed?.protocol === "https:";
  const wrong = !isHttp ? "expected an http:// or https:// address" : null;
  const hasPassword = parsed !== null && (parsed.username !== "" || parsed.password !== "");
  const message =
    wrong ?? (hasPassword ? "expected an address without user and password: use headers" : null);
  if (message !== null) context.addIssue({ code: "custom", message });
});

const secretText = text(10_000)
  .min(1)
  .transform((value): string | Secret => value);
const auth = z
  .strictObject({
    token_url: url.superRefine((value, context) => {
      const { protocol, hostname } = URL.parse(value) ?? { protocol: "", hostname: "" };
      if (protocol === "http:" && !/^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
        context.addIssue({ code: "custom", message: "expected an https:// address, or one of this machine" });
    }),
    client_id: text(500).min(1),
    client_secret: secretText.optional(),
    refresh_token: secretText
      .optional()
      .describe("Else tokens are those of the client itself (the grant client_credentials)."),
    scope: text(1_000).min(1).optional(),
  })
  .refine(({ client_secret, refresh_token }) => client_secret !== undefined || refresh_token !== undefined, {
    error: "expected client_secret, refresh_token, or both",
  })
  .optional()
  .describe("OAuth 2: the access token goes with each request, and is renewed.");

const path = text(1_000).startsWith("/", "expected an absolute path");
const NO_MORE = { network: false, read: [], write: [] };
const sandboxed = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        network: z.boolean().default(false),
        read: z.array(path).max(100).default([]),
        write: z.array(path).max(100).default([]),
      }),
    ],
    { error: "expected true, false, or what it may use: network, read, write" },
  )
  .transform((value) => (value === true ? NO_MORE : value === false ? null : value));
const sandbox = sandboxed
  .optional()
  .describe(
    "Run it under bubblewrap, which must be installed: of files it sees the system, its own folder and what is named. Absent: as `tools.sandbox` of gateway.yaml has it.",
  );

/** What holds for the tools of all agents. */
export const toolDefaultsSchema = z
  .strictObject({
    sandbox: sandboxed
      .default(null)
      .describe("Of programs (commands, MCP servers over stdio) whose own `sandbox` says nothing."),
  })
  .prefault({});
export type ToolDefaults = z.output<typeof toolDefaultsSchema>;

/** Programs whose file says nothing of a sandbox have that of the gateway. */
export function withDefaults(specs: ToolSpecs, { sandbox }: ToolDefaults): ToolSpecs {
  return specs.map((spec) => {
    if (spec.type === "command")
      return { ...spec, sandbox: spec.sandbox === undefined ? sandbox : spec.sandbox };
    if (spec.type !== "mcp" || spec.config.transport !== "stdio") return spec;
    const given = spec.config.sandbox;
    return { ...spec, config: { ...spec.config, sandbox: given === undefined ? sandbox : given } };
  });
}

const stdio = z.strictObject({
  transport: z.literal("stdio"),
  command: text(1_000).min(1).describe("The program, by its path or as it is found in PATH; no shell."),
  args: z.array(text(10_000)).max(200).default([]),
  env,
  sandbox,
});
const http = z.strictObject({ transport: z.literal("http"), url, headers, auth });
const sse = z.strictObject({
  transport: z.literal("sse"),
  url,
  headers,
  auth,
  reconnect_ms: count(10, 600_000).default(1_000).describe("How long after a loss it is connected again."),
});

const sendsFiles = z
  .union([z.boolean(), globs], { error: "expected true, false, or a list of patterns over names of tools" })
  .default(false)
  .transform((value) => (value === true ? ["*"] : value === false ? [] : value))
  .describe(
    "`true`, or patterns over names of its tools: images, sounds and other files that they give are sent with the answer.",
  );

const mcp = z.strictObject({
  name: toolName,
  type: z.literal("mcp"),
  config: z.discriminatedUnion("transport", [stdio, http, sse], {
    error: "expected transport: stdio, http or sse",
  }),
  allow: globs
    .default([])
    .describe("Tools of the server, as it names them, that the agent may use; none by default."),
  approve: globs.default([]).describe("Tools that it may use once a person has approved the call."),
  approvals: toolApprovals,
  deny: globs.default([]).describe("Tools that it may not use, whatever `allow` and `approve` say."),
  effects: z
    .record(glob, effect)
    .default({})
    .describe(
      "What tools do; else as the server says of them, else `write`. Of several that fit, the strictest.",
    ),
  sends_files: sendsFiles,
  instructions: z.boolean().default(false).describe("Show the model what the server says of its use."),
  timeout_seconds,
  retry: z
    .strictObject({
      max_attempts: count(1, 10).default(3),
      backoff_ms: count(0, 60_000).default(1_000),
    })
    .prefault({})
    .describe("Of calls that failed below the tool; only where doing it twice is safe."),
});

const bound = z.number().min(-1e15).max(1e15).optional();
const input = z.strictObject({
  type: z.enum(["string", "number", "integer", "boolean"]).default("string"),
  description: text(1_000).optional(),
  pattern: text(500)
    .superRefine((pattern, context) => {
      const fault = patternFault(pattern);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .optional()
    .describe("Regular expression (RE2 syntax) that the text must hold; `^` and `$` are its ends."),
  enum: z.array(text(1_000)).min(1).max(200).optional(),
  max_length: count(1, 100_000).default(1_000),
  minimum: bound,
  maximum: bound,
  required: z.boolean().default(true).describe("Where it is not given, arguments that name it are left out."),
});

const command = z
  .strictObject({
    name: toolName,
    type: z.literal("command"),
    description: text(2_000).optional().describe("What it does, for the model."),
    command: text(1_000).min(1).describe("The program, by its path or as it is found in PATH; no shell."),
    args: z
      .array(text(10_000))
      .max(200)
      .optional()
      .describe("Its arguments; `{name}` stands for what the model gives as `name`."),
    input: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), input)
      .default({})
      .describe("What the model gives."),
    allowed_commands: z
      .array(text(1_000).min(1))
      .min(1)
      .max(200)
      .optional()
      .describe("What its first argument may be. Without `args`, the model gives it and all that follow."),
    env,
    sandbox,
    effect: effect.default("write"),
    approve: globs.default([]).describe('`["*"]`: a person must approve each call.'),
    approvals: toolApprovals,
    sends_files: z
      .boolean({ error: "expected true or false" })
      .default(false)
      .describe("Files that a call leaves in the folder that PARLEY_FILES names are sent with the answer."),
    timeout_seconds,
  })
  .superRefine(({ args, input, allowed_commands }, context) => {
    const issue = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    for (const [i, arg] of (args ?? []).entries())
      for (const [, name = ""] of arg.matchAll(PLACEHOLDER))
        if (!Object.hasOwn(input, name))
          issue(["args", i], `expected {${name}} to be one of input, got ${named(input)}`);
    const used = new Set(
      (args ?? []).flatMap((arg) => [...arg.matchAll(PLACEHOLDER)].map(([, name]) => name)),
    );
    for (const name of Object.keys(input))
      if (!used.has(name)) issue(["input", name], `expected {${name}} in args, got none`);
    if (args?.length === 0 && allowed_commands !== undefined)
      issue(["args"], "expected a first argument, because allowed_commands says what it may be");
  });
export const PLACEHOLDER = /\{([A-Za-z_][A-Za-z0-9_]{0,63})\}/g;

function named(input: object): string {
  return Object.keys(input).join(", ") || "no input";
}

const host = z.string().regex(/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/, {
  error: "expected the name of a host in small letters, such as docs.example.com or *.example.com",
});
const BUILTINS = ["fetch", "time", "search", "notes"] as const;
const builtin = z
  .strictObject({
    name: toolName,
    type: z.literal("builtin"),
    builtin: z
      .enum(BUILTINS)
      .describe(
        "`fetch` reads a page of `hosts`, `search` what was said in the conversation, `notes` keeps long-term notes about the person and the channel, `time` the clock.",
      ),
    hosts: z
      .array(host)
      .min(1)
      .max(1_000)
      .optional()
      .describe("Of `fetch`: where it may read, over HTTPS; with a port where that is another."),
    approve: globs.default([]),
    approvals: toolApprovals,
    timeout_seconds,
  })
  .superRefine(({ builtin: which, hosts }, context) => {
    if (which === "fetch" && hosts === undefined)
      context.addIssue({ code: "custom", path: ["hosts"], message: "expected a list of hosts for fetch" });
    if (which !== "fetch" && hosts !== undefined)
      context.addIssue({ code: "custom", path: ["hosts"], message: `expected no hosts for ${which}` });
  });

const agent = z.strictObject({
  name: toolName,
  type: z.literal("agent"),
  agent: agentName.describe(
    "Who is asked. It works on its own, within the budgets and the time of this run.",
  ),
  description: text(2_000).optional().describe("What it is good for, for the model."),
});

export const tools = z
  .array(
    z.discriminatedUnion("type", [mcp, command, builtin, agent], {
      error: "expected type: mcp, command, builtin or agent",
    }),
  )
  .max(50)
  .default([])
  .superRefine((all, context) => {
    for (const [i, { name }] of all.entries()) {
      const isTaken = all.slice(0, i).some((other) => other.name === name);
      const message = `expected a name of its own, got ${name}, which another tool has too`;
      if (isTaken) context.addIssue({ code: "custom", path: [i, "name"], message });
    }
  })
  .describe("What the agent may use beside its words; see docs/agents.md.");

export type ToolSpecs = z.output<typeof tools>;

/** Whether its program runs in a sandbox; null: it runs none. */
export function sandboxOf(spec: ToolSpecs[number]): boolean | null {
  const isIn = (sandbox: object | null | undefined) => sandbox !== null && sandbox !== undefined;
  if (spec.type === "command") return isIn(spec.sandbox);
  return spec.type === "mcp" && spec.config.transport === "stdio" ? isIn(spec.config.sandbox) : null;
}
