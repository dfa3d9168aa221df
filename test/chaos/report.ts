import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../e2e/gateway-process.ts";
import type { ChaosRun } from "./chaos.ts";
import type { Verdict } from "./verdict.ts";

const VIOLATIONS_SHOWN = 40;

/** What happened and what came of it, for people. */
export function report(run: ChaosRun, { replies, runs, violations }: Verdict): string {
  const messages = run.conversations.flatMap(({ asked }) => asked);
  const shown = violations.slice(0, VIOLATIONS_SHOWN);
  const hidden = violations.length - shown.length;
  return [
    ...table({
      conversations: run.conversations.length,
      messages: messages.length,
      acknowledged: messages.filter(({ isAcknowledged }) => isAcknowledged).length,
      "webhooks sent": run.webhooks,
      "of which after the message was acknowledged": run.redelivered,
      "gateways killed": run.deaths.length,
      "model calls": run.calls.length,
      "of which for runs that a death cut off": runs.resumed,
      "messages said": run.said.length,
      "marked as possible repeats": replies.marked,
      "of which are repeats": replies.repeats,
      seconds: run.seconds,
    }),
    "faults",
    ...table(run.faults),
    "webhooks not answered 200",
    ...table(Object.fromEntries(run.refused)),
    violations.length === 0 ? "no promise was broken" : `${violations.length} broken promises`,
    ...shown.map((line) => `  ${line}`),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ].join("\n");
}

function table(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).map(([what, count]) => `  ${String(count).padStart(7)}  ${what}`);
}

/** Writes down all that was seen; gives the folder. */
export function keepEvidence(run: ChaosRun): string {
  const folder = temporaryFolder();
  const keep = (name: string, lines: readonly string[]) =>
    writeFileSync(join(folder, name), lines.join("\n"));
  keep("gateways.log", [run.gatewaysSaid]);
  keep("webhooks.log", run.trail);
  keep(
    "model.jsonl",
    run.calls.map((call) => JSON.stringify(call)),
  );
  keep(
    "said.jsonl",
    run.said.map((said) => JSON.stringify(said)),
  );
  return folder;
}
