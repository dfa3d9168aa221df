import { randomUUID } from "node:crypto";
import { Argument, type Command, InvalidArgumentError } from "commander";
import { MODULES } from "../../adapters/index.ts";
import { readDevKey } from "../app/developers.ts";
import { closest } from "../config/closest.ts";
import { createEnvReader } from "../config/env-reader.ts";
import { readEnvironment } from "../config/environment.ts";
import { variablesOf } from "../config/variables.ts";
import { WAIT_SECONDS_MAX } from "../domain/bounds.ts";
import { PLATFORMS, type Platform } from "../domain/event.ts";
import { isLoopbackHost } from "../domain/loopback.ts";
import type { EnvReader } from "../ports/env-reader.ts";
import type { SampleRequest } from "../ports/sampler.ts";
import { EXIT } from "../shared/exit.ts";
import { getString, parseJsonObject } from "../shared/json.ts";
import { ask } from "./ask.ts";
import { botFor } from "./bots.ts";
import { type Client, createClient, gatewayUrl } from "./client.ts";
import { curlLine } from "./curl.ts";
import { askedFate, endingOf, type Fate, followEvent, guessedFate, isTaken, toldFate } from "./fate.ts";
import { inert, printable } from "./printable.ts";
import { namesWhere, SAMPLES } from "./samples.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

const TIMEOUT_MS = 15_000;

interface SendOptions {
  text: string;
  kind?: string;
  url?: string;
  user?: string;
  channel?: string;
  thread?: string;
  id?: string;
  bot?: string;
  wait?: number;
  secret?: string;
  printCurl?: true;
  generateKey?: true;
  json?: true;
}

export function addSend(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("send")
    .addArgument(new Argument("<platform>", "whose webhook").choices(PLATFORMS))
    .option("-t, --text <text>", "what the message says", "Hello, Parley")
    .option("-k, --kind <kind>", "what kind of message (default: the first of the list below)")
    .option("--url <url>", "where the gateway is (default: PARLEY_URL, or this machine)")
    .option("--user <id>", "who says it")
    .option("--channel <id>", "where it is said; of an inbound webhook, its name")
    .option("--thread <id>", "in which thread")
    .option("--id <id>", "id of the delivery; the same one twice is one event (default: a new one)")
    .option("--bot <name>", `${BOTS} (default: asked of the platform)`)
    .option(
      "--wait <seconds>",
      "wait so long for the reply and print it; but for test, over the admin API",
      wholeSeconds,
    )
    .option(
      "--secret <secret>",
      "signs; better left to the environment, because other users see command lines",
    )
    .option("--print-curl", "print the curl line instead of sending")
    .option("--generate-key", `${WITH_KEYS} only: print a new key pair instead of sending`)
    .option("--json", "print what became of it as JSON")
    .addHelpText("after", HELP)
    .action(async (platform: Platform, given: SendOptions) => {
      const options = { ...given, url: gatewayUrl(terminal, given) };
      if (options.generateKey) return printKeyPair(platform, options, terminal);
      const id = options.id ?? randomUUID();
      const request = await buildRequest(platform, { ...options, id }, terminal);
      const url = options.url + request.path;
      if (options.printCurl) {
        const { later } = SAMPLES[platform];
        if (later !== undefined) terminal.talk(`${later}\n`);
        terminal.out(`${curlLine(request, url)}\n`);
        return;
      }
      settle(await deliver(request, url, { ...options, platform }, terminal));
    });
}

const BOTS = Object.values(SAMPLES)
  .flatMap(({ module, bot }) => (bot === undefined ? [] : [`${module.name}: ${bot.what}`]))
  .join("; ");
const WITH_KEYS = namesWhere(({ keyPair }) => keyPair !== undefined);
const isForDevelopers = (platform: Platform) => SAMPLES[platform].module.isForDevelopers === true;

/** Of each that has one: its own kinds, words for a shell, a key. */
const EXAMPLES = MODULES.flatMap(({ example }) => example ?? []);

const HELP = `
Kinds:
${PLATFORMS.map((platform) => `  ${platform.padEnd(9)} ${SAMPLES[platform].kinds.join(", ")}`).join("\n")}

The secret comes from ${PLATFORMS.map((platform) => SAMPLES[platform].secretVariable("")).join(", ")}.

Examples:
  parley send test --text "hello" --wait 10
${EXAMPLES.map((line) => `  parley send ${line}`).join("\n")}

Without PARLEY_DEV_KEY, test takes the key that the gateway on this machine left in its data folder
(PARLEY_DATA_DIR, default data).`;

function wholeSeconds(value: string): number {
  const seconds = Number(value);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= WAIT_SECONDS_MAX) return seconds;
  throw new InvalidArgumentError(`Expected whole seconds from 0 to ${WAIT_SECONDS_MAX}.`);
}

async function buildRequest(
  platform: Platform,
  options: SendOptions & { id: string },
  terminal: Terminal,
): Promise<SampleRequest> {
  const sample = SAMPLES[platform];
  const env = createEnvReader(terminal.env, terminal.cwd, variablesOf(MODULES));
  const kind = options.kind ?? sample.kinds[0] ?? "message";
  if (!sample.kinds.includes(kind)) {
    const near = closest(kind, sample.kinds);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    throw usage(
      `expected --kind to be one of ${sample.kinds.join(", ")} for ${platform}, got ${kind}${hint}`,
    );
  }
  const variable = sample.secretVariable(kind);
  const secret =
    options.secret ??
    (secretFrom(env, variable) || (isForDevelopers(platform) ? madeKey(options, terminal) : ""));
  if (secret === "" && sample.needsSecret) {
    const hint = sample.keyPair === undefined ? "" : `; parley send ${platform} --generate-key makes a pair`;
    throw usage(`expected --secret or ${variable}, got neither${hint}`);
  }
  const { text, id, user, channel, thread } = options;
  const place = { ...(user !== undefined && { user }), ...(channel !== undefined && { channel }) };
  const inThread = thread === undefined ? {} : { thread };
  try {
    const asked = { ...(options.bot !== undefined && { bot: options.bot }), kind };
    const bot = await botFor(platform, asked, terminal);
    const to = bot === null ? {} : { bot };
    const signed = { kind, text, id, nowMs: Date.now(), secret };
    const request = sample.build({ ...signed, ...place, ...inThread, ...to }, env);
    return options.wait === undefined || !isForDevelopers(platform)
      ? request
      : { ...request, path: `${request.path}?wait=${options.wait}` };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw usage(error.message);
    throw error;
  }
}

/** During a rotation either of the two is valid. */
function secretFrom(env: EnvReader, variable: string): string {
  const isPair = variablesOf(MODULES).some(({ name, isPair }) => name === variable && isPair === true);
  return (isPair ? env.pair(variable)[0] : env.text(variable)) ?? "";
}

/** Of the gateway on this data folder. It is shown to nobody but this machine. */
function madeKey({ url }: SendOptions, { env, cwd }: Terminal): string {
  if (!isLoopbackHost(URL.parse(url ?? "")?.host ?? "")) return "";
  return readDevKey(readEnvironment(env, cwd, []).environment.dataDir)?.reveal() ?? "";
}

interface Sent {
  readonly platform: Platform;
  readonly status: number;
  readonly requestId: string | null;
  readonly body: string;
  readonly fate: Fate;
  /** Why the API did not tell its fate. */
  readonly unasked: CommandError | null;
}

async function deliver(
  request: SampleRequest,
  url: string,
  options: SendOptions & { platform: Platform },
  terminal: Terminal,
): Promise<number> {
  const { platform, wait } = options;
  // Before anything is sent: a wait that cannot be kept is no reason to run an agent.
  const client = clientFor(options, terminal);
  const { method } = request;
  const headers = { ...request.headers, ...developerKey(platform, options, terminal) };
  const body = method === "GET" ? {} : { body: request.body };
  const answer = await ask(url, { method, headers, ...body }, TIMEOUT_MS + (wait ?? 0) * 1000);
  if (answer.kind === "unreachable") {
    throw new CommandError(
      EXIT.unreachable,
      `expected an answer from ${url}, got ${answer.code}; is the gateway running? Start it with parley serve`,
    );
  }
  const requestId = answer.headers.get("x-request-id");
  const guessed = guessedFate(isForDevelopers(platform), answer.status, answer.body);
  const told = toldFate(answer.headers);
  const canAsk = told === null && client !== null && requestId !== null;
  const asked = await attempt(canAsk ? () => askedFate(client, requestId) : async () => told);
  const fate = { ...guessed, ...asked.value };
  return await report(
    { ...answer, platform, requestId, fate, unasked: asked.failure },
    client,
    options,
    terminal,
  );
}

/** That the API cannot be asked is no reason to hide what the webhook was answered, which has been sent by then. */
async function attempt<T>(
  ask: () => Promise<T | null>,
): Promise<{ value: T | null; failure: CommandError | null }> {
  try {
    return { value: await ask(), failure: null };
  } catch (error) {
    if (error instanceof CommandError) return { value: null, failure: error };
    throw error;
  }
}

/** Null: the admin API cannot be asked. */
function clientFor(
  { platform, wait, url }: SendOptions & { platform: Platform },
  terminal: Terminal,
): Client | null {
  try {
    return createClient(terminal, { ...(url !== undefined && { url }) });
  } catch (error) {
    if (!isForDevelopers(platform) && wait !== undefined) throw error;
    return null;
  }
}

async function report(
  { platform, status, requestId, body, fate, unasked }: Sent,
  client: Client | null,
  { json, wait }: SendOptions,
  terminal: Terminal,
): Promise<number> {
  const { outcome, reason, eventId } = fate;
  const follow = wait !== undefined && !isForDevelopers(platform) && client !== null && eventId !== undefined;
  const followed = await attempt(
    follow && isTaken(fate) ? () => followEvent(client, eventId, wait) : async () => null,
  );
  const { event, answeredBy } = followed.value ?? { event: null, answeredBy: null };
  const isMerged = event !== null && event.state === "merged";
  const failure = unasked ?? followed.failure;
  const reply = answeredBy?.progress?.answer?.text ?? replyIn(body);
  if (json) {
    const answer = {
      status,
      request_id: requestId,
      outcome,
      ...(reason !== undefined && { reason }),
      ...(eventId !== undefined && { event_id: eventId }),
      ...(event !== null && { state: event.state }),
      ...(isMerged && { merged_into: event.merged_into }),
      ...(reply !== undefined && { reply }),
    };
    terminal.out(`${inert(JSON.stringify(answer))}\n`);
  } else {
    const why = reason === undefined ? "" : `: ${printable(reason)}`;
    terminal.out(`${status} ${printable(outcome)}${why}\n${body === "" ? "" : `${inert(body)}\n`}`);
    if (followed.value !== null)
      terminal.out(`${endingOf(followed.value)}\n${reply === undefined ? "" : `${inert(reply)}\n`}`);
    talkOf({ platform, status, requestId, fate }, failure, terminal);
  }
  if (failure !== null) {
    terminal.talk(`It could not be asked what became of it: ${inert(failure.message)}\n`);
    if (wait !== undefined && !isForDevelopers(platform)) return failure.exitCode;
  }
  const hasFailed = answeredBy?.state === "dead" || answeredBy?.state === "dropped";
  return isTaken(fate) && status < 300 && !hasFailed ? EXIT.ok : EXIT.failed;
}

function talkOf(
  { platform, status, requestId, fate }: Pick<Sent, "platform" | "status" | "requestId" | "fate">,
  failure: CommandError | null,
  terminal: Terminal,
): void {
  const { outcome, eventId } = fate;
  if (eventId !== undefined) terminal.talk(`Event ${printable(eventId)}.\n`);
  if (outcome === "acknowledged" && failure === null) terminal.talk(`${NOT_TOLD}\n`);
  else if (!isTaken(fate) && requestId !== null)
    terminal.talk(`parley explain ${printable(requestId)} says what to do.\n`);
  if (isForDevelopers(platform) && status === 401) terminal.talk(NEEDS_KEY);
}

const NOT_TOLD =
  "It was acknowledged; what became of it is told to nobody without a key. Set PARLEY_ADMIN_TOKEN or PARLEY_DEV_KEY as the\n" +
  "gateway has it, or PARLEY_DATA_DIR to the folder of a gateway on this machine.";

function replyIn(body: string): string | undefined {
  const parsed = parseJsonObject(body);
  return parsed.ok ? getString(parsed.value, "reply") : undefined;
}

/** Opens no platform's webhook; the gateway tells whoever shows it what became of the message. */
function developerKey(platform: Platform, options: SendOptions, terminal: Terminal): Record<string, string> {
  if (isForDevelopers(platform)) return {};
  const own = createEnvReader(terminal.env, terminal.cwd, variablesOf(MODULES)).text("PARLEY_DEV_KEY");
  const key = own ?? madeKey(options, terminal);
  return key === "" ? {} : { "x-dev-key": key };
}

const NEEDS_KEY =
  "The gateway wants its developer's key. Set PARLEY_DEV_KEY as the gateway has it, or PARLEY_DATA_DIR to the folder\n" +
  "of a gateway on this machine, where the key lies that it made at its start.\n";

/** Of a platform that signs with a key which it keeps: a made-up one needs a pair of its own. */
function printKeyPair(platform: Platform, options: SendOptions, terminal: Terminal): void {
  const pair = SAMPLES[platform].keyPair?.();
  if (pair === undefined) throw usage(`expected --generate-key with ${WITH_KEYS} only, got ${platform}`);
  terminal.talk("For tests only: start the gateway with the first line, and send with the second.\n");
  const lines = Object.entries(pair.variables).map(([name, value]) => `${name}=${value}\n`);
  terminal.out(options.json ? `${JSON.stringify(pair.json)}\n` : lines.join(""));
}

function usage(message: string): CommandError {
  return new CommandError(EXIT.usage, message);
}
