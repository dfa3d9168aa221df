import type { Command } from "commander";
import { withAgents } from "../app/once.ts";
import type { AgentSpec } from "../config/agent-schema.ts";
import type { Config } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { pressedDecision } from "../domain/button.ts";
import { ModelError } from "../domain/errors.ts";
import { OF_DEVELOPERS, type ReplyAddress, type TriggerEvent } from "../domain/event.ts";
import type { Signal } from "../domain/signal.ts";
import type { Hold, ParkedRun, RunResult } from "../ports/agent.ts";
import { EXIT } from "../shared/exit.ts";
import { systemClock } from "../system/clock.ts";
import { createNewId } from "../system/ids.ts";
import { load } from "./config.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";
import { toolFolder } from "./tool-look.ts";

interface Options {
  readonly agent: string;
  readonly input: string;
  readonly config?: string;
  readonly json?: true;
}

const INPUT_CHARS_MAX = 100_000;
const OPERATOR = { id: "cli", name: "cli" };

/** Needs no gateway, and no store: one message, one answer, and nothing of it is kept. */
export function addRun(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("run")
    .requiredOption("--agent <name>", "which agent answers")
    .requiredOption("--input <text>", "what is said to it; - reads it from stdin")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--json", "print the whole result as JSON")
    .addHelpText("after", '\nExample:\n  parley run --agent assistant --input "What is a lease?"')
    .action(async (options: Options) => {
      const config = configOf(terminal, options);
      const text = await inputOf(options.input);
      const signal = terminal.interrupted?.() ?? new AbortController().signal;
      const result = await answered(config, options, { text, terminal, signal });
      settle(result.outcome === "answered" ? EXIT.ok : EXIT.failed);
    });
}

function configOf(terminal: Terminal, { config: folder, agent }: Options): Config {
  const loaded = load(terminal, folder);
  if (!loaded.ok) throw new CommandError(EXIT.config, loaded.problems.map(formatProblem).join("\n"));
  const { config } = loaded;
  const spec = config.agents.get(agent);
  if (spec !== undefined) return { ...config, agents: new Map([[agent, askingHere(spec)]]) };
  const known = [...config.agents.keys()].join(", ");
  throw new CommandError(EXIT.usage, `Expected one of these agents: ${known}, got ${agent}`);
}

/** Whoever sits here decides, or nobody does. */
function askingHere(spec: AgentSpec): AgentSpec {
  const all = { approvers: "any", place: "conversation", self_approval: true } as const;
  const tools = spec.tools.map((tool) => ("approvals" in tool ? { ...tool, approvals: undefined } : tool));
  return { ...spec, tools, approvals: { ...spec.approvals, ...all, min_approvers: 1, remember_seconds: 0 } };
}

async function inputOf(input: string): Promise<string> {
  const { text } = await import("node:stream/consumers");
  const given = input === "-" ? await text(process.stdin) : input;
  if (given.trim() === "") throw new CommandError(EXIT.usage, "Expected something to say, got nothing");
  if (given.length <= INPUT_CHARS_MAX) return given;
  throw new CommandError(
    EXIT.usage,
    `Expected at most ${INPUT_CHARS_MAX} characters of input, got ${given.length}`,
  );
}

interface Saying {
  readonly text: string;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

async function answered(config: Config, options: Options, saying: Saying): Promise<RunResult> {
  const { terminal, signal, text } = saying;
  const clock = systemClock;
  // What is said before a tool is used is no part of the answer, and cannot be taken back here.
  const spec = config.agents.get(options.agent);
  const streams = !options.json && spec?.tools.length === 0 && spec.model.provider !== "http";
  const shown = new Shown(streams ? terminal.out : null);
  const startedAtMs = clock.nowMs();
  const turn = { agent: options.agent, event: eventOf(text, startedAtMs), history: [], steps: [] };
  const run = { id: createNewId(clock)("run"), ...turn, startedAtMs };
  try {
    const around = { config, clock, toolFolder: toolFolder(config) };
    const result = await withAgents(around, (runtime) => runtime.run(run, holdOf(terminal, shown), signal));
    return printed(ended(result), options, { terminal, shown });
  } catch (error) {
    if (signal.aborted) throw new CommandError(EXIT.interrupted, "interrupted");
    if (!(error instanceof ModelError)) throw error;
    throw new CommandError(error.isRefusal ? EXIT.failed : EXIT.unreachable, error.message);
  }
}

function ended(result: RunResult | ParkedRun): RunResult {
  if (result.outcome !== "parked") return result;
  throw new CommandError(EXIT.failed, "nobody decided what the agent asked");
}

function printed(
  result: RunResult,
  { agent, json }: Options,
  { terminal, shown }: { terminal: Terminal; shown: Shown },
): RunResult {
  const { outcome, text, usage, modelCalls, model, cause } = result;
  if (json) {
    const { inputTokens: input_tokens, outputTokens: output_tokens, costCents: cost_cents } = usage;
    const used = { input_tokens, output_tokens, cost_cents, model_calls: modelCalls };
    const whole = { outcome, text, agent, model: model ?? null, ...used, ...(cause && { cause }) };
    terminal.out(`${inert(JSON.stringify(whole, null, 2))}\n`);
  } else if (outcome === "answered") terminal.out(`${shown.restOf(inert(text))}\n`);
  else terminal.talk(`parley: ${inert(cause === undefined ? text : `${text} (${cause})`)}\n`);
  return result;
}

/** What of an answer stands on the screen. */
class Shown {
  readonly #out: ((text: string) => void) | null;
  #text = "";

  /** `out` null: nothing is shown before it is whole. */
  constructor(out: ((text: string) => void) | null) {
    this.#out = out;
  }

  /** An answer that began anew waits until it is whole. */
  grow(text: string): void {
    const safe = inert(text).trimEnd();
    if (this.#out === null || !safe.startsWith(this.#text) || safe.length === this.#text.length) return;
    const more = safe.slice(this.#text.length);
    this.#out(more);
    this.#text = safe;
  }

  /** What is missing of the whole. */
  restOf(whole: string): string {
    if (whole.startsWith(this.#text)) return whole.slice(this.#text.length);
    return `\n${whole}`;
  }
}

/** Questions are put to whoever sits at the terminal, and denied where nobody does. */
function holdOf(terminal: Terminal, shown: Shown): Hold {
  const signals: Signal[] = [];
  return {
    record: async () => {},
    ensure: async () => {},
    heard: () => signals,
    amend: async () => {},
    showing: (text) => shown.grow(text),
    async keepFile(file) {
      const { name } = file;
      const size = "data" in file ? `${file.data.length} bytes` : file.why;
      terminal.talk(`A tool has made the file ${printable(name)} (${size}); here it is sent to nobody.\n`);
      return { name, why: "this is a shell, not a chat" };
    },
    async say(_key, text, buttons = []) {
      const approvalId = buttons
        .map(({ id }) => pressedDecision(id)?.approvalId)
        .find((id) => id !== undefined);
      terminal.talk(`${inert(text)}\n`);
      if (approvalId === undefined) return;
      const isApproved = (await terminal.confirm?.("Approve?")) ?? null;
      const verdict = isApproved === true ? "approved" : "denied";
      const reason = isApproved === null ? { reason: "nobody to ask" } : {};
      signals.push({ kind: "decide", approvalId, verdict, by: OPERATOR, ...reason });
    },
  };
}

function eventOf(text: string, nowMs: number): TriggerEvent {
  return {
    ...{ id: `${OF_DEVELOPERS}:${createNewId(systemClock)("cli")}`, aliases: [], platform: OF_DEVELOPERS },
    ...{
      tenant: "cli",
      place: "cli",
      thread: null,
      conversation: `${OF_DEVELOPERS}:cli:cli`,
      isDirect: true,
    },
    ...{ sender: { ...OPERATOR, isBot: false }, trigger: "direct", command: null, text, attachments: [] },
    ...{ replyTo: "" as ReplyAddress, occurredAtMs: nowMs },
  };
}
