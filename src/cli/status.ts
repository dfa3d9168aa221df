import type { Command } from "commander";
import type { StatusView } from "../admin/status.ts";
import { EXIT } from "../shared/exit.ts";
import { createClient, TOKEN_HELP, withUrl } from "./client.ts";
import { inert, printable } from "./printable.ts";
import type { Settle, Terminal } from "./terminal.ts";

export function addStatus(program: Command, terminal: Terminal, settle: Settle): void {
  withUrl(program.command("status"))
    .option("--json", "print it as JSON")
    .addHelpText("after", HELP)
    .action(async (options: { url?: string; json?: true }) => {
      const view = await createClient(terminal, options).json<StatusView>("/status");
      terminal.out(options.json ? `${inert(JSON.stringify(view, null, 2))}\n` : describe(view));
      settle(view.status === "not_ready" ? EXIT.failed : EXIT.ok);
    });
}

const HELP = `
Ends with 0 when the replica that answers can work, with 1 when it cannot (not_ready), and with 69 when none answers.
${TOKEN_HELP}

Examples:
  parley status
  parley status --json | jq '.events'`;

function describe(view: StatusView): string {
  const { status, version, unwell, events, replicas, paused, left_alone, agents, spent_today: spent } = view;
  const lines: [what: string, words: string][] = [
    ["status", status],
    ["version", version],
    ...unwell.map(({ component, status: how, code, details, since }): [string, string] => [
      component,
      `${how}: ${[code, details].filter((word) => word !== null).join(" ")}${since === null ? "" : ` (since ${since})`}`,
    ]),
    ["events", events === null ? "the store cannot be asked" : eventsIn(events)],
    ["replicas", replicas === null ? "the store cannot be asked" : replicasIn(replicas)],
    ["paused", pausedIn(paused)],
    ...left_alone.map(({ kind, name, state }): [string, string] => [
      "left alone",
      `the ${kind} ${name} (${state})`,
    ]),
    ["agents", agents.join(", ")],
    ["today", spent === null ? "the store cannot be asked" : spentIn(spent)],
  ];
  return lines.map(([what, words]) => `${printable(`${what.padEnd(WIDTH)} ${words}`)}\n`).join("");
}

const WIDTH = 13;

function eventsIn({
  queued,
  running,
  retrying,
  parked,
  dead,
  oldest_seconds,
}: NonNullable<StatusView["events"]>) {
  const oldest = oldest_seconds === null ? "" : `, the oldest for ${Math.round(oldest_seconds)} s`;
  return `${queued} queued, ${running} running, ${retrying} retrying${oldest}; ${parked} parked; ${dead} dead`;
}

function replicasIn(replicas: NonNullable<StatusView["replicas"]>): string {
  const differ = (["version", "configuration"] as const).filter(
    (key) => new Set(replicas.map((one) => one[key])).size > 1,
  );
  return `${replicas.length}${differ.length === 0 ? "" : `, of different ${differ.join(" and ")}`}`;
}

function pausedIn({ on, agents, platforms }: StatusView["paused"]): string {
  if (on) return "everything";
  const parts = [
    ...agents.map(({ name }) => `the agent ${name}`),
    ...platforms.map(({ name }) => `the platform ${name}`),
  ];
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

function spentIn({ day, cost_cents, limit_cents }: NonNullable<StatusView["spent_today"]>): string {
  return `${cost_cents} cents on ${day}${limit_cents === null ? "" : `, of ${limit_cents}`}`;
}
