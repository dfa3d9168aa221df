import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { readDevKey } from "../app/developers.ts";
import { closest } from "../config/closest.ts";
import { createEnvReader, type EnvReader } from "../config/env-reader.ts";
import { readEnvironment } from "../config/environment.ts";
import { WAIT_SECONDS_MAX } from "../domain/bounds.ts";
import { PLATFORMS, type Platform } from "../domain/event.ts";
import { isLoopbackHost } from "../domain/loopback.ts";
import { ask, httpBase } from "./ask.ts";
import { curlLine } from "./curl.ts";
import type { Settle } from "./index.ts";
import { inert } from "./printable.ts";
import { SAMPLES } from "./samples.ts";
import { CommandError, EXIT, type Terminal } from "./terminal.ts";

const TIMEOUT_MS = 15_000;

interface SendOptions {
  text: string;
  kind?: string;
  url?: string;
  user?: string;
  channel?: string;
  thread?: string;
  id?: string;
  wait?: number;
  secret?: string;
  printCurl?: true;
  generateKey?: true;
  json?: true;
}

export function addSend(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("send")
    .description("send a webhook as a platform would, signed with your secret")
    .addArgument(new Argument("<platform>", "whose webhook").choices(PLATFORMS))
    .option("-t, --text <text>", "what the message says", "Hello, Parley")
    .option("-k, --kind <kind>", "what kind of message (default: the first of the list below)")
    .option("--url <url>", "where the gateway is (default: http://127.0.0.1 and its port)")
    .option("--user <id>", "who says it")
    .option("--channel <id>", "where it is said")
    .option("--thread <id>", "in which thread")
    .option("--id <id>", "id of the delivery; the same one twice is one event (default: a new one)")
    .option("--wait <seconds>", "test only: wait so long for the reply and print it", wholeSeconds)
    .option(
      "--secret <secret>",
      "signs; better left to the environment, because other users see command lines",
    )
    .option("--print-curl", "print the curl line instead of sending")
    .option("--generate-key", "discord only: print a new key pair instead of sending")
    .option("--json", "print status, id and body as JSON")
    .addHelpText("after", HELP)
    .action(async (platform: Platform, options: SendOptions) => {
      if (options.generateKey) return printKeyPair(platform, options, terminal);
      const id = options.id ?? randomUUID();
      const request = buildRequest(platform, { ...options, id }, terminal);
      const url = baseUrl(options, terminal) + request.path;
      if (options.printCurl) {
        if (platform === "slack") terminal.talk("Slack's signature is valid for 5 minutes.\n");
        terminal.out(`${curlLine(request, url)}\n`);
        return;
      }
      settle(await deliver(request, url, { ...options, id, platform }, terminal));
    });
}

const HELP = `
Kinds:
${PLATFORMS.map((platform) => `  ${platform.padEnd(9)} ${SAMPLES[platform].kinds.join(", ")}`).join("\n")}

The secret comes from ${PLATFORMS.map((platform) => SAMPLES[platform].secretVariable("")).join(", ")}.

Examples:
  parley send test --text "hello" --wait 10
  parley send slack --kind slash --text "deploy api"
  parley send telegram --text "it's 5 o'clock" --print-curl | sh
  parley send discord --generate-key

Without PARLEY_DEV_KEY, test takes the key that the gateway on this machine left in its data folder
(PARLEY_DATA_DIR, default data).`;

function wholeSeconds(value: string): number {
  const seconds = Number(value);
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= WAIT_SECONDS_MAX) return seconds;
  throw new InvalidArgumentError(`Expected whole seconds from 0 to ${WAIT_SECONDS_MAX}.`);
}

function baseUrl(options: SendOptions, terminal: Terminal): string {
  const url =
    options.url ?? `http://127.0.0.1:${readEnvironment(terminal.env, terminal.cwd).environment.port}`;
  return httpBase("--url", url);
}

function buildRequest(
  platform: Platform,
  options: SendOptions & { id: string },
  terminal: Terminal,
): SampleRequest {
  const sample = SAMPLES[platform];
  const env = createEnvReader(terminal.env, terminal.cwd);
  const kind = options.kind ?? sample.kinds[0] ?? "message";
  if (!sample.kinds.includes(kind)) {
    const near = closest(kind, sample.kinds);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    throw usage(
      `expected --kind to be one of ${sample.kinds.join(", ")} for ${platform}, got ${kind}${hint}`,
    );
  }
  if (options.wait !== undefined && platform !== "test")
    throw usage(`expected --wait with test only, got ${platform}, which answers in its own chat`);
  const variable = sample.secretVariable(kind);
  const secret = options.secret ?? (secretFrom(env, variable) || madeKey(platform, options, terminal));
  if (secret === "" && sample.needsSecret) {
    const hint = platform === "discord" ? "; parley send discord --generate-key makes a pair" : "";
    throw usage(`expected --secret or ${variable}, got neither${hint}`);
  }
  const { text, id, user, channel, thread } = options;
  const place = { ...(user !== undefined && { user }), ...(channel !== undefined && { channel }) };
  const inThread = thread === undefined ? {} : { thread };
  try {
    const request = sample.build({ kind, text, id, nowMs: Date.now(), secret, ...place, ...inThread }, env);
    return options.wait === undefined
      ? request
      : { ...request, path: `${request.path}?wait=${options.wait}` };
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw usage(error.message);
    throw error;
  }
}

/** During a rotation either of the two is valid; only those that check requests can be two. */
function secretFrom(env: EnvReader, variable: string): string {
  const isPair = /_(SIGNING|WEBHOOK|APP)_SECRET$/.test(variable);
  return (isPair ? env.pair(variable)[0] : env.text(variable)) ?? "";
}

/** Of the gateway on this data folder. It is shown to nobody but this machine. */
function madeKey(platform: Platform, { url }: SendOptions, { env, cwd }: Terminal): string {
  if (platform !== "test" || (url !== undefined && !isLoopbackHost(URL.parse(url)?.host ?? ""))) return "";
  return readDevKey(readEnvironment(env, cwd).environment.dataDir)?.reveal() ?? "";
}

async function deliver(
  request: SampleRequest,
  url: string,
  options: SendOptions & { id: string; platform: Platform },
  terminal: Terminal,
): Promise<number> {
  const { method, headers } = request;
  const body = method === "GET" ? {} : { body: request.body };
  const answer = await ask(url, { method, headers, ...body }, TIMEOUT_MS + (options.wait ?? 0) * 1000);
  if (answer.kind === "unreachable") {
    throw new CommandError(
      EXIT.unreachable,
      `expected an answer from ${url}, got ${answer.code}; is the gateway running? Start it with parley serve`,
    );
  }
  if (options.json)
    terminal.out(
      `${inert(JSON.stringify({ status: answer.status, id: options.id, body: parsed(answer.body) }))}\n`,
    );
  else terminal.out(`${answer.status}\n${answer.body === "" ? "" : `${inert(answer.body)}\n`}`);
  if (options.platform === "test" && answer.status === 401) terminal.talk(NEEDS_KEY);
  return answer.status >= 200 && answer.status < 300 ? EXIT.ok : EXIT.failed;
}

const NEEDS_KEY =
  "The gateway wants its developer's key. Set PARLEY_DEV_KEY as the gateway has it, or PARLEY_DATA_DIR to the folder\n" +
  "of a gateway on this machine, where the key lies that it made at its start.\n";

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** Discord signs with a key that it keeps, so a made-up Discord needs a pair of its own. */
function printKeyPair(platform: Platform, options: SendOptions, terminal: Terminal): void {
  if (platform !== "discord") throw usage(`expected --generate-key with discord only, got ${platform}`);
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const hex = (part: string | undefined) => Buffer.from(part ?? "", "base64url").toString("hex");
  const pair = { public_key: hex(x), seed: hex(d) };
  terminal.talk("For tests only: start the gateway with the first line, and send with the second.\n");
  if (options.json) terminal.out(`${JSON.stringify(pair)}\n`);
  else terminal.out(`DISCORD_PUBLIC_KEY=${pair.public_key}\nDISCORD_PRIVATE_SEED=${pair.seed}\n`);
}

function usage(message: string): CommandError {
  return new CommandError(EXIT.usage, message);
}
