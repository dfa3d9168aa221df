import { inOwnProcess } from "../own-process.ts";
import { canPin } from "../pinned.ts";
import { acceptLine } from "../turns.ts";
import { type AnsweredRow, benchAnswered } from "./answered.ts";

/** Processor time for one message, against the echo bot of the same platform. */
const GOALS: Readonly<Record<string, string>> = {
  "Slack, Parley": "≤ 0.9",
  "Slack mention, Parley": "≤ 0.9",
  "Telegram, Parley": "≤ 1.5",
};

export async function answeredTable(isQuick: boolean): Promise<string> {
  const module = new URL("answered.ts", import.meta.url);
  const options = isQuick ? { rounds: 3, requests: 1_000 } : { rounds: 9, requests: 1_500 };
  return answeredReport(await inOwnProcess(module, benchAnswered, options));
}

function answeredReport(rows: readonly AnsweredRow[]): string {
  const pinned = canPin
    ? "one core for all of them, in turns, and the other for the load and the platforms"
    : "not pinned to a core, for want of `taskset`";
  return `## The answered message

\`npm run bench -- --only answered\`. From webhook to reply on loopback, 64 messages at a time (mentions 512), each of
another person; the next one is sent when the reply to one is there. *Slack* and *Telegram* are direct messages; a mention on
Slack waits 300 ms for a second delivery of the same message, which may bring files.
The servers under test: ${pinned}.
Parley is \`parley serve\` as it is shipped with its demo model, on SQLite with durability \`power\`, log, metrics and limits
on. Bolt and Telegraf are echo bots of a few lines (\`test/bench/answered\`), which keep nothing; the bare server verifies
and makes the same call with \`node:http\` alone. CPU is of the whole process, all threads, with what is done after the last
reply; ratios are to the echo bot in the same round. Calls are those of the platform's API for one message.

| | messages/s | p50 ms | p99 ms | CPU µs/message | calls | rate ÷ bot | CPU ÷ bot | goal |
|-|-|-|-|-|-|-|-|-|
${rows.map(lineOf).join("\n")}
`;
}

function lineOf(row: AnsweredRow): string {
  return acceptLine(row, [
    row.calls.toFixed(2),
    row.rateRatio.toFixed(2),
    row.cpuRatio.toFixed(2),
    GOALS[row.name] ?? "",
  ]);
}
