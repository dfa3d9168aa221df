import type { ToolSpecs } from "../config/tools-schema.ts";
import { PLACEHOLDER } from "../config/tools-schema.ts";
import { ToolFault } from "../domain/tool-fault.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tool, ToolCaller } from "../ports/tool.ts";
import { isObject, type JsonObject } from "../shared/json.ts";
import { withFiles } from "./left-files.ts";
import { runCommand } from "./run-command.ts";
import { type Check, createCompiler } from "./schema.ts";
import { revealed } from "./values.ts";

export type CommandSpec = Extract<ToolSpecs[number], { type: "command" }>;

/** Where nothing says which arguments there are: what the model may give behind the first. */
const ARGS_MAX = 64;
const ARG_CHARS_MAX = 4_000;

/** A program of the operator's choice, with arguments of which the model gives what the file lets it. No shell. */
export function createCommandTool(spec: CommandSpec, folder: string, clock: Pick<Clock, "nowMs">): Tool {
  const { name, command, sandbox, effect, approve, sends_files, timeout_seconds } = spec;
  const inputSchema = schemaOf(spec);
  let checking: Promise<Check | null> | null = null;
  return {
    name,
    description: spec.description ?? `Runs ${command}.`,
    effect,
    repeatable: effect === "read",
    inputSchema,
    timeoutMs: timeout_seconds * 1000,
    ...(approve.length > 0 && { asks: "call" as const }),
    async call(input, signal, _approvedBy, caller) {
      checking ??= createCompiler().then((compile) => compile(inputSchema));
      const wrong = (await checking)?.(input) ?? null;
      if (wrong !== null) throw notRun(wrong);
      const args = argumentsOf(spec, isObject(input) ? input : {});
      signal.throwIfAborted();
      const env = { ...revealed(spec.env), ...identityOf(caller) };
      const run = (more: Readonly<Record<string, string>> = {}) =>
        runCommand(
          { name, command, args, env: { ...env, ...more }, folder, sandbox: sandbox ?? null },
          signal,
        );
      if (!sends_files) return await run();
      return await withFiles(folder, clock.nowMs(), (files) => run({ PARLEY_FILES: files }));
    },
  };
}

function schemaOf({ args, input, allowed_commands }: CommandSpec): JsonObject {
  const none = { type: "object", properties: {}, additionalProperties: false };
  if (args === undefined && allowed_commands !== undefined) {
    const more = { type: "string", maxLength: ARG_CHARS_MAX };
    return {
      ...none,
      properties: {
        command: { type: "string", enum: allowed_commands },
        args: { type: "array", items: more, maxItems: ARGS_MAX },
      },
      required: ["command"],
    };
  }
  const fields = Object.entries(input);
  const required = fields.filter(([, field]) => field.required).map(([field]) => field);
  return {
    ...none,
    properties: Object.fromEntries(fields.map(([field, one]) => [field, fieldOf(one)])),
    required,
  };
}

type Field = CommandSpec["input"][string];

function fieldOf({
  type,
  description,
  pattern,
  enum: choices,
  max_length,
  minimum,
  maximum,
}: Field): JsonObject {
  return {
    type,
    ...(description !== undefined && { description }),
    ...(type === "string" && { maxLength: max_length }),
    ...(pattern !== undefined && { pattern }),
    ...(choices !== undefined && { enum: choices }),
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  };
}

/** Throws ToolFault where they are not what the operator lets through. */
export function argumentsOf(spec: CommandSpec, input: JsonObject): readonly string[] {
  const { args, allowed_commands } = spec;
  const given =
    args === undefined
      ? freeArguments(spec, input)
      : args.flatMap((arg) => filled(arg, spec.input, input) ?? []);
  if (given.some((arg) => arg.includes("\0"))) throw notRun("Expected arguments without a zero byte");
  const [first = ""] = given;
  if (allowed_commands !== undefined && !allowed_commands.includes(first))
    throw notRun(`Expected the first argument to be one of ${allowed_commands.join(", ")}, got ${first}`);
  return given;
}

function freeArguments({ allowed_commands }: CommandSpec, { command, args }: JsonObject): readonly string[] {
  if (allowed_commands === undefined) return [];
  return [String(command), ...(Array.isArray(args) ? args.map(String) : [])];
}

/** Null: it names something that was not given. */
function filled(arg: string, fields: CommandSpec["input"], input: JsonObject): string | null {
  let isWhole = true;
  const value = arg.replaceAll(PLACEHOLDER, (_placeholder, name: string, at: number) => {
    const given = input[name];
    if (given === undefined) {
      isWhole = false;
      return "";
    }
    if (typeof given !== "string" && typeof given !== "number" && typeof given !== "boolean")
      throw notRun(`Expected ${name} to be a text, a number, true or false`);
    // What begins with a dash is an option to most programs, and the file has named the options that there are.
    const field = fields[name];
    const isVetted = field?.pattern !== undefined || field?.enum !== undefined || field?.type !== "string";
    if (at === 0 && !isVetted && typeof given === "string" && given.startsWith("-"))
      throw notRun(`Expected ${name} not to begin with a dash`);
    return String(given);
  });
  return isWhole ? value : null;
}

function notRun(message: string): ToolFault {
  return new ToolFault(message, { mayHaveRun: false, isPassing: false });
}

/** For whom it runs, as variables. */
function identityOf(caller: ToolCaller | undefined): Readonly<Record<string, string>> {
  if (caller === undefined) return {};
  const { runId, event } = caller;
  return {
    PARLEY_RUN: runId,
    PARLEY_CONVERSATION: event.conversation,
    PARLEY_PLATFORM: event.platform,
    PARLEY_TENANT: event.tenant,
    PARLEY_SENDER_ID: event.sender.id,
  };
}
