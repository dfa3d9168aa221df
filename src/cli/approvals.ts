import { type Command, Option } from "commander";
import type { z } from "zod";
import type { ApprovalView, castSchema } from "../admin/approvals.ts";
import { QUESTION_STATES } from "../ports/questions.ts";
import { createClient, jsonBody, TOKEN_HELP, withUrl } from "./client.ts";
import { asCount, fetchPages, printList } from "./pages.ts";
import { ageOf, inert, printable } from "./printable.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface ListOptions {
  readonly url?: string;
  readonly state: string;
  readonly limit: number;
  readonly json?: true;
}

interface DecideOptions {
  readonly url?: string;
  readonly choice?: number;
  readonly json?: true;
}

export function addApprovals(program: Command, terminal: Terminal): void {
  const approvals = program.command("approvals").addHelpText("after", TOKEN_HELP);

  withUrl(approvals.command("list").description("list what waits for a decision, or what was decided"))
    .addOption(new Option("--state <state>", "which").choices(QUESTION_STATES).default("waiting"))
    .option("-n, --limit <count>", "show so many at most", asCount, 50)
    .option("--json", "print them as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  parley approvals list\n  parley approvals list --state decided --json",
    )
    .action(async ({ url, state, limit, json }: ListOptions) => {
      const client = createClient(terminal, { ...(url !== undefined && { url }) });
      const list = { path: "/approvals", name: "approvals", from: "cursor" } as const;
      const found = await fetchPages<ApprovalView>(client, list, { state }, limit);
      const none = state === "waiting" ? "Nothing waits for a decision." : "Nothing was decided.";
      printList(found, approvalsTable, terminal, { isJson: json === true, none });
    });

  for (const [name, verdict] of [
    ["approve", "approved"],
    ["deny", "denied"],
  ] as const) {
    const takes = name === "deny" ? "<id> [reason...]" : "<id>";
    const command = withUrl(
      approvals.command(`${name} ${takes}`).description(`${name} what an agent asks`),
    ).option("--json", "print what the gateway says as JSON");
    if (name === "approve")
      command.option("--choice <number>", "which of the answers that the question has, from 1", asCount);
    command
      .addHelpText(
        "after",
        `\nExample:\n  parley approvals ${name} apr_1k7q…_1 ${name === "deny" ? "it is Friday" : "--choice 2"}`,
      )
      .action(async (id: string, ...given: unknown[]) => {
        const [words, options] = (name === "deny" ? given : [[], ...given]) as [string[], DecideOptions];
        const reason = words.join(" ");
        const { choice } = options;
        const body = {
          verdict,
          ...(choice !== undefined && { choice }),
          ...(reason !== "" && { reason }),
        };
        const path = `/approvals/${encodeURIComponent(id)}`;
        const cast = await createClient(terminal, options).json<Cast>(path, jsonBody(body));
        terminal.out(options.json ? `${inert(JSON.stringify(cast, null, 2))}\n` : `${castLine(cast)}\n`);
      });
  }
}

type Cast = z.output<typeof castSchema>;

function castLine({ id, state, needed, by }: Cast): string {
  if (state !== "waiting") return `${printable(id)}: ${state} by ${printable(by)}`;
  return `${printable(id)}: approved by ${printable(by)}; ${needed} more ${needed === 1 ? "is" : "are"} needed`;
}

function approvalsTable(approvals: readonly ApprovalView[], nowMs: number): string {
  const rows = approvals.map(({ id, state, agent, tool, asked_at, asked_by, question, choices }) => ({
    cells: [ageOf(asked_at, nowMs), state, agent, tool, asked_by.name],
    story: [question, ...(choices ?? []).map((choice, index) => `${index + 1}. ${choice}`)].join("  "),
    id,
  }));
  return table({ cells: ["AGE", "STATE", "AGENT", "TOOL", "ASKED BY"], story: "QUESTION", id: "ID" }, rows);
}
