import { join } from "node:path";
import type { SampleOptions, Sampler } from "../../../adapters/shared/sample.ts";
import { slackSampler } from "../../../adapters/slack/sample.ts";
import { telegramSampler } from "../../../adapters/telegram/sample.ts";
import { benchEnv } from "../accept.ts";
import { toWire } from "../drive.ts";
import { benchFolder } from "../folder.ts";
import { leaveServerCore, onCore, SERVER_CORE } from "../pinned.ts";
import { KEYS, secretsOf } from "../secrets.ts";
import { type ServerProcess, startServer } from "../server-process.ts";
import { startShipped } from "../shipped.ts";
import { type AcceptRow, type Contender, takeTurns } from "../turns.ts";
import { type EchoPlatform, startEchoPlatform, textOf } from "./platform.ts";

/** A platform, and the library that most of its bots are written with. */
interface Subject {
  readonly name: string;
  readonly sampler: Sampler;
  readonly kind: string;
  readonly secret: string;
  readonly firstPlace: string;
  /** Messages at a time: enough for a server to be busy all the time. */
  readonly inFlight: number;
  readonly peer: { readonly name: string; readonly script: string };
}

const BOLT = { name: "Bolt", script: "answered/bolt.js" };
const TELEGRAF = { name: "Telegraf", script: "answered/telegraf.js" };
const IN_FLIGHT = 64;

const SUBJECTS: readonly Subject[] = [
  {
    name: "Slack",
    sampler: slackSampler,
    kind: "dm",
    secret: KEYS.slack,
    firstPlace: "D",
    inFlight: IN_FLIGHT,
    peer: BOLT,
  },
  {
    // Parley gives its twin, which alone brings files, 300 ms to come (GROWTH_MS).
    name: "Slack mention",
    sampler: slackSampler,
    kind: "mention",
    secret: KEYS.slack,
    firstPlace: "C",
    inFlight: 8 * IN_FLIGHT,
    peer: BOLT,
  },
  {
    name: "Telegram",
    sampler: telegramSampler,
    kind: "message",
    secret: KEYS.telegram,
    firstPlace: "1",
    inFlight: IN_FLIGHT,
    peer: TELEGRAF,
  },
];

export interface AnsweredRow extends AcceptRow {
  /** Of the platform's API, for one message. */
  readonly calls: number;
}

type Server = Pick<ServerProcess, "port" | "cpuMicros" | "stop">;
type Entrant = Contender & { readonly platform: EchoPlatform; readonly sent: () => number };

/**
 * From webhook to reply: the gateway as it is shipped, echo bots written with the libraries of its platforms, and one with
 * none. All share one core, in turns; the load and the platforms have another.
 */
export async function benchAnswered(options: { rounds: number; requests: number }): Promise<AnsweredRow[]> {
  leaveServerCore();
  await using stack = new AsyncDisposableStack();
  const entrants: Entrant[] = [];
  for (const subject of SUBJECTS) entrants.push(...(await entrantsOf(subject, stack)));
  const rows = await takeTurns(entrants, options);
  return rows.map((row, index) => {
    const entrant = entrants[index];
    return { ...row, calls: (entrant?.platform.calls() ?? 0) / (entrant?.sent() ?? 0) };
  });
}

async function entrantsOf(subject: Subject, stack: AsyncDisposableStack): Promise<Entrant[]> {
  const behind = onCore(SERVER_CORE, []);
  const enter = async (name: string, start: (env: Record<string, string>) => Promise<Server>) => {
    const platform = await startEchoPlatform();
    stack.defer(() => platform.close());
    const server = await start({ ...secretsFor(subject), ...platform.env });
    stack.defer(() => server.stop());
    return entrantOf(`${subject.name}, ${name}`, subject, server, platform);
  };
  return [
    await enter("bare `node:http`", (env) => startServer("answered/bare.ts", { env, behind })),
    await enter(subject.peer.name, (env) => startServer(subject.peer.script, { env, behind })),
    await enter("Parley", (env) => {
      const log = join(benchFolder(), "log");
      return startShipped(benchEnv({ acceptOnly: false, env, secrets: {} }), { behind, log });
    }),
  ];
}

function entrantOf(name: string, subject: Subject, server: Server, platform: EchoPlatform): Entrant {
  let sent = 0;
  return {
    name,
    server,
    platform,
    connections: subject.inFlight,
    against: `${subject.name}, ${subject.peer.name}`,
    sent: () => sent,
    request: (index) => {
      sent++;
      return toWire(subject.sampler.build(messageOf(index, subject)));
    },
    awaited: (index) => platform.answered(index),
  };
}

/** Each of another person in another conversation. */
function messageOf(index: number, { kind, secret, firstPlace }: Subject): SampleOptions {
  const place = `${firstPlace}${String(index).padStart(7, "0")}`;
  return {
    kind,
    secret,
    text: textOf(index),
    id: `${process.pid}${index}`,
    nowMs: Date.now(),
    user: place,
    channel: place,
  };
}

/** One platform is on, as a peer has only one. */
function secretsFor({ name }: Subject): Record<string, string> {
  const prefix = `${name.split(" ")[0]?.toUpperCase()}_`;
  return Object.fromEntries(Object.entries(secretsOf()).filter(([key]) => key.startsWith(prefix)));
}
