import { inOwnProcess } from "../own-process.ts";
import { benchFirstShown } from "./first-shown.ts";
import { benchMcp } from "./mcp.ts";
import { benchParked } from "./parked.ts";
import { benchSteps } from "./steps.ts";

const reached = (isReached: boolean) => (isReached ? "reached" : "**missed**");

export async function stepsTable(isQuick: boolean): Promise<string> {
  const options = isQuick ? { rounds: 3, runs: 40 } : { rounds: 7, runs: 80 };
  const { runs, steps, cpuMicros } = await inOwnProcess(
    new URL("steps.ts", import.meta.url),
    benchSteps,
    options,
  );
  return `## A step of a run

${runs} runs of ${steps} recorded steps each, of a model and a tool that answer at once, on SQLite, less as many runs without tools:
each step is recorded before the next. CPU is of the whole process, all threads.

| CPU µs/step | goal |
|-|-|
| ${cpuMicros.toFixed(0)} | 1500: ${reached(cpuMicros <= 1_500)} |
`;
}

export async function firstShownTable(isQuick: boolean): Promise<string> {
  const options = { answers: isQuick ? 6 : 20 };
  const rows = await inOwnProcess(new URL("first-shown.ts", import.meta.url), benchFirstShown, options);
  const lines = rows.map(
    ({ platform, p50Ms, p95Ms }) =>
      `| ${platform} | ${p50Ms.toFixed(0)} | ${p95Ms.toFixed(0)} | 50: ${reached(p50Ms <= 50)} |`,
  );
  return `## The first words of an answer

From the first words of a model that has thought for 700 ms to the platform's call that shows them, ${options.answers} answers on each
platform, each in a conversation of its own. What is answered within half a second is said, and not shown before. Of Slack's streams
eight may begin at once and then one each five seconds (adapters/slack/stream-state.ts): the others wait, and where that takes as
long as the answer it is said without having been shown, which is what the p95 of Slack is.

| | p50 ms | p95 ms | goal, p50 |
|-|-|-|-|
${lines.join("\n")}
`;
}

export async function parkedTable(isQuick: boolean): Promise<string> {
  const options = { runs: isQuick ? 200 : 500 };
  const parked = await inOwnProcess(new URL("parked.ts", import.meta.url), benchParked, options);
  const { runs, workers, memoryBytes, answeredBytes, diskBytes, beforeMs, besideMs } = parked;
  const { idleBeforePercent, idleBesidePercent } = parked;
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  return `## Runs that wait for an approval

${runs} runs, each in a conversation of its own, in a gateway with ${workers} places for runs, on SQLite. Messages of others are answered
beside them as before: they hold no place.

| | before | with them | goal |
|-|-|-|-|
| resident memory that came with each | ${kib(answeredBytes)} (answered) | ${kib(memoryBytes)} | 20 KiB: ${reached(memoryBytes <= 20 * 1024)} |
| on disk, each | | ${kib(diskBytes)} | 20 KiB: ${reached(diskBytes <= 20 * 1024)} |
| an answer to somebody else, p50 | ${beforeMs.toFixed(1)} ms | ${besideMs.toFixed(1)} ms | |
| while nothing happens, of a core | ${idleBeforePercent.toFixed(2)} % | ${idleBesidePercent.toFixed(2)} % | |
`;
}

export async function mcpTable(isQuick: boolean): Promise<string> {
  const options = isQuick ? { rounds: 3, calls: 300 } : { rounds: 9, calls: 500 };
  const rows = await inOwnProcess(new URL("mcp.ts", import.meta.url), benchMcp, options);
  const lines = rows.map(
    ({ transport, bareMs, ourMs, overheadMs, overheadCpuMs }) =>
      `| ${transport} | ${[bareMs, ourMs, overheadMs, overheadCpuMs].map((ms) => ms.toFixed(2)).join(" | ")} | 3: ${reached(overheadMs <= 3)} |`,
  );
  return `## A tool over MCP

The same tool by the bare client of the protocol and as an agent calls it (looked up, allowed, arguments checked, timed, its result
bounded and redacted), in turns. Over stdio the server is a process, over HTTP it is in this one.

| | bare, p50 ms | ours, p50 ms | more, ms | more CPU, ms | goal, more |
|-|-|-|-|-|-|
${lines.join("\n")}
`;
}
