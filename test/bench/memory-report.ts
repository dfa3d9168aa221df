import type { MemoryCost, MemoryRow } from "./memory.ts";

const MIB = 2 ** 20;

export function memoryReport({ options, isBounded, rows, statuses, ...cost }: MemoryCost): string {
  const bound = `${options.boundBytes / MIB} MiB`;
  const where = isBounded
    ? `Each gateway lived in a control group of ${bound}, above which the kernel kills it.`
    : `This machine let us make no control group of ${bound}, so nothing but the goals bounded it.`;
  const answers = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`);
  return `## Memory and idleness

\`npm run bench -- --only memory\`. Resident memory of the whole process as the kernel counts it, each row a gateway of
its own with four platforms on; the last column at least ${options.laterMs / 1000} s after the last message.
${where}
Messages are Telegram's, each of a new person. What waits is behind answers that take an hour. The unverified bodies are
Slack's with a false signature, all at once: ${answers.join(", ")}.

| | peak, MiB | later, MiB | goal |
|-|-|-|-|
${rows.map(lineOf).join("\n")}

| | | goal |
|-|-|-|
| when nothing happens | ${(cost.idleShare * 100).toFixed(2)} % of a core | 0.5 % |
| ${options.perSecond} messages a second | ${(cost.cpuMicros / 1000).toFixed(1)} ms of CPU each | 5 ms |
| a bare \`node:http\` server, at the same time and rate | ${(cost.bareMicros / 1000).toFixed(1)} ms | |
`;
}

function lineOf({ name, peakBytes, laterBytes, goal }: MemoryRow): string {
  return `| ${name} | ${(peakBytes / MIB).toFixed(0)} | ${(laterBytes / MIB).toFixed(0)} | ${goal} |`;
}
