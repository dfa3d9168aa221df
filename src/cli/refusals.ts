import { Option } from "commander";
import { REFUSED_OUTCOMES } from "../domain/request.ts";
import type { RefusalView } from "../feed/refusal.ts";
import { EXIT } from "../shared/exit.ts";
import type { Client } from "./client.ts";
import { fetchPages, printList } from "./pages.ts";
import { ageOf, printable } from "./printable.ts";
import { table } from "./table.ts";
import { CommandError, type Terminal } from "./terminal.ts";

/** What requests that were refused can be asked for. */
export interface RefusalOptions {
  readonly refused?: true;
  readonly outcome?: string | undefined;
  readonly platform?: string;
  readonly since?: string;
  readonly until?: string;
}

export function outcomeOption(): Option {
  return new Option("--outcome <outcomes>", `with --refused, only these: ${REFUSED_OUTCOMES.join(", ")}`);
}

interface Wanted extends Omit<RefusalOptions, "refused"> {
  readonly state?: string;
  readonly conversation?: string;
  readonly tenant?: string;
  readonly limit: number;
  readonly json?: true | undefined;
}

export async function listRefusals(client: Client, wanted: Wanted, terminal: Terminal): Promise<void> {
  const { limit, json, state, conversation, tenant, ...filter } = wanted;
  forbidWithRefused({ state, conversation, tenant });
  const list = { path: "/refusals", name: "refusals", from: "cursor" } as const;
  const found = await fetchPages<RefusalView>(client, list, filter, limit);
  const none = "No refused or ignored request matches; what came to no known path is not among them.";
  printList(found, refusalsTable, terminal, { isJson: json === true, none });
}

/** A request that was refused has no state, and often no conversation that anybody could know. */
export function forbidWithRefused(options: Readonly<Record<string, string | undefined>>): void {
  const [name] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
  if (name !== undefined)
    throw new CommandError(
      EXIT.usage,
      `expected --outcome, --platform or --since with --refused, got --${name}`,
    );
}

function refusalsTable(refusals: readonly RefusalView[], nowMs: number): string {
  const rows = refusals.map(({ at, platform, outcome, peer, request_id, ...refusal }) => ({
    cells: [ageOf(at, nowMs), platform, outcome, peer ?? "-"],
    story: whyOf(refusal),
    id: request_id,
  }));
  return table({ cells: ["AGE", "PLATFORM", "OUTCOME", "FROM"], story: "REASON", id: "REQUEST" }, rows);
}

/** As it happens, on one line. */
export function refusalLine({ at, outcome, platform, request_id, peer, ...refusal }: RefusalView): string {
  const time = new Date(at).toLocaleTimeString("sv");
  const from = peer === null ? "" : `  from ${printable(peer)}`;
  return `${time}  ${printable(outcome)}  ${printable(platform)}  ${printable(request_id)}${from}  ${printable(whyOf(refusal))}\n`;
}

function whyOf({ reason, alike }: Pick<RefusalView, "reason" | "alike">): string {
  return alike === undefined ? reason : `${reason} (and ${alike} alike)`;
}
