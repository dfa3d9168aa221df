import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { withFields } from "./rows.ts";

export const SCRIPT_NAMES = [
  "open",
  "accept",
  "claim",
  "extend",
  "checkpoint",
  "join",
  "settle",
  "release",
  "report",
  "reserve",
  "record",
  "recall",
  "forget",
  "withdraw",
  "person",
  "hold_money",
  "settle_money",
  "spent_money",
  "lane",
  "head",
  "signal",
  "say",
  "find",
  "list",
  "stats",
  "status",
  "check",
  "replay",
  "drop",
  "sweep",
  "note_requests",
  "list_requests",
  "hold",
  "put_media",
  "get_media",
  "drop_media",
  "media_usage",
  "get_note",
  "put_note",
  "kept",
  "keep",
  "list_kept",
  "read_audit",
  "add_audit",
  "prune_audit",
  "search_records",
  "replace_record",
  "list_conversations",
  "sound",
  "overdue",
  "remove_events",
  "set_aside",
] as const;
export type ScriptName = (typeof SCRIPT_NAMES)[number];

export interface Script {
  readonly source: string;
  /** SHA-1 of the source, by which Redis knows it. */
  readonly digest: string;
}

/** Reads lua/*.lua, each with the prelude before it. A first line of flags (`#!lua …`) stays the first. */
export function loadScripts(): Readonly<Record<ScriptName, Script>> {
  const read = (name: string) => readFileSync(join(import.meta.dirname, "lua", `${name}.lua`), "utf8");
  const prelude = read("prelude");
  const entries = SCRIPT_NAMES.map((name) => {
    const [, flags = "#!lua\n", body = ""] = /^(#!lua[^\n]*\n)?([\s\S]*)$/.exec(read(name)) ?? [];
    const source = withFields(`${flags}${prelude}\n${body}`);
    return [name, { source, digest: createHash("sha1").update(source).digest("hex") }] as const;
  });
  return Object.fromEntries(entries) as Record<ScriptName, Script>;
}
