import type { Command } from "commander";
import { postTurn } from "../models/remote/index.ts";
import { notAStream, refusedBy, remoteChunks } from "../models/remote/stream.ts";
import type { RemoteTurn } from "../models/remote/turn.ts";
import { EXIT } from "../shared/exit.ts";
import { messageOf } from "../shared/fault.ts";
import { Secret } from "../shared/secret.ts";
import { isWebhookSecret } from "../shared/standard-webhooks.ts";
import { systemClock } from "../system/clock.ts";
import { createNewId } from "../system/ids.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface Options {
  readonly secret?: string;
  readonly text: string;
  readonly json?: true;
}

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly details: string;
}

const CALL_MS = 60_000;
const SECRET_VARIABLE = "AGENT_SECRET";
/** Older requests must be refused, for they may have been recorded. */
const OLD_MS = 3_600_000;

/** Needs no gateway: plays one, and says what of the protocol the agent keeps to. */
export function addAgentCheck(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("agent-check")
    .argument("<url>", "where the agent listens")
    .option("--secret <whsec>", `what it shares with the gateway (default: ${SECRET_VARIABLE})`)
    .option("--text <text>", "what is said to it", "Hello")
    .option("--json", "print it as JSON")
    .addHelpText("after", "\nExample:\n  parley agent-check http://127.0.0.1:8090/")
    .action(async (url: string, options: Options) => {
      const checks = await checksOf(targetOf(url, options, terminal), options.text);
      if (options.json) terminal.out(`${inert(JSON.stringify(checks, null, 2))}\n`);
      else terminal.out(checks.map(lineOf).join(""));
      settle(checks.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed);
    });
}

interface Target {
  readonly url: string;
  readonly secret: Secret;
}

function targetOf(url: string, { secret }: Options, { env }: Terminal): Target {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new CommandError(EXIT.usage, `Expected an http:// or https:// address, got ${url.slice(0, 200)}`);
  const found = secret ?? env[SECRET_VARIABLE] ?? "";
  if (isWebhookSecret(found)) return { url, secret: new Secret(found) };
  const what = `Expected --secret or ${SECRET_VARIABLE} as whsec_ and at least 16 bytes in base64`;
  throw new CommandError(EXIT.usage, `${what}, got ${found === "" ? "none" : "something else"}`);
}

async function checksOf(target: Target, text: string): Promise<readonly Check[]> {
  const turn = turnOf(text, createNewId(systemClock)("check"));
  const wrong = { ...target, secret: new Secret(`whsec_${Buffer.alloc(24, 7).toString("base64")}`) };
  const first = await answerOf(turn, target);
  const again = await answerOf(turn, target);
  const isSame = first.ok && again.ok && first.text === again.text && first.asks === again.asks;
  return [
    { check: "a signed turn is answered", ok: first.ok, details: first.details },
    {
      check: "the same turn_id gives the same answer",
      ok: isSame,
      details: isSame ? "the same" : again.ok && first.ok ? "the answers differ" : again.details,
    },
    {
      check: "what the turn cost is told",
      ok: first.ok && (first.asks || first.hasCost),
      details: costWords(first),
    },
    await refusal("another key is refused", turn, wrong, systemClock.nowMs()),
    await refusal("a signature of an hour ago is refused", turn, target, systemClock.nowMs() - OLD_MS),
  ];
}

function costWords({ asks, hasCost }: Outcome): string {
  if (hasCost) return "by usage.cost_cents";
  return asks ? "it asks first" : "no usage event with cost_cents: the whole budget of the run is taken";
}

interface Outcome {
  readonly ok: boolean;
  readonly text: string;
  readonly asks: boolean;
  readonly hasCost: boolean;
  readonly details: string;
}

/** A cost that no answer has. */
const UNTOLD = -1;

async function answerOf(turn: RemoteTurn, target: Target): Promise<Outcome> {
  const nothing = { ok: false, text: "", asks: false, hasCost: false };
  const response = await post(turn, target, systemClock.nowMs());
  try {
    const refused =
      response.status === 200
        ? notAStream(response.headers.get("content-type"))
        : refusedBy(response.status, null);
    if (refused !== null || response.body === null)
      return { ...nothing, details: refused?.message ?? "expected a body, got none" };
    let text = "";
    let files = 0;
    let asks = false;
    let hasCost = false;
    for await (const chunk of remoteChunks(response.body, UNTOLD)) {
      if (chunk.kind === "text") text += chunk.text;
      else if (chunk.kind === "tool-call") asks = true;
      else if (chunk.kind === "file") files++;
      else hasCost = !asks && chunk.usage.costCents !== UNTOLD;
    }
    const ok = text.trim() !== "" || asks || files > 0;
    const made = files === 0 ? "" : `, ${files === 1 ? "one file" : `${files} files`}`;
    const details = ok ? `${text.length} characters${made}` : "expected text, got none";
    return { ok, text, asks, hasCost, details };
  } catch (error) {
    return { ...nothing, details: messageOf(error) };
  }
}

async function refusal(check: string, turn: RemoteTurn, target: Target, nowMs: number): Promise<Check> {
  const { status, body } = await post(turn, target, nowMs);
  await body?.cancel();
  const ok = status >= 400 && status < 500;
  return { check, ok, details: ok ? `answered ${status}` : `expected 401, got ${status}` };
}

async function post(turn: RemoteTurn, target: Target, nowMs: number): Promise<Response> {
  try {
    return await postTurn(turn, { ...target, nowMs, signal: AbortSignal.timeout(CALL_MS) });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    throw new CommandError(EXIT.unreachable, `the agent cannot be reached: ${messageOf(cause ?? error)}`);
  }
}

function turnOf(text: string, id: string): RemoteTurn {
  return {
    turn_id: `test:${id}`,
    run_id: id,
    agent: "agent-check",
    conversation: "test:check:check",
    platform: "test",
    tenant: "check",
    sender: { id: "check", name: "agent-check" },
    text,
    history: [
      { role: "user", name: null, text: "Are you there?" },
      { role: "assistant", name: null, text: "Yes." },
    ],
    attachments: [],
    budget: { cents: 100, seconds: 60 },
  };
}

function lineOf({ check, ok, details }: Check): string {
  return `${ok ? "ok   " : "FAIL "}${check}: ${printable(details)}\n`;
}
