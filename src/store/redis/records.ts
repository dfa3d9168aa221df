import { REQUEST_OUTCOMES } from "../../domain/request.ts";
import type { Kept, Records, Shelf } from "../../ports/records.ts";
import { wellFormed } from "../well-formed.ts";
import type { Link } from "./link.ts";
import type { Parts } from "./parts.ts";

/** Where a shelf lies in several places, one after the other: what is live comes first, and is found again when it is over. */
const PARTS: Partial<Record<Shelf, readonly string[]>> = {
  events: ["live", "done", "dropped", "dead", "merged"],
  people: ["p", "w"],
  told: ["n"],
  requests: REQUEST_OUTCOMES,
};
const WHOLE: readonly string[] = [""];

type Row = readonly [
  key: string,
  text: string,
  second: string | null,
  isOver: number,
  conversation: string | null,
  place: string | null,
];

export function createRecords({ run, persistence, now }: Parts, link: Link): Records {
  return {
    async search({ shelf, words, after = "0 " }) {
      const parts = PARTS[shelf] ?? WHOLE;
      const end = after.indexOf(" ");
      const part = Number(after.slice(0, end));
      const args = [shelf, parts[part] ?? "", after.slice(end + 1), ...words.map(wellFormed)];
      const [next, ...rows] = (await run("search_records", [now(), ...args], "long")) as [string, ...Row[]];
      const isLast = next === "" && part + 1 >= parts.length;
      return {
        found: rows.map((row) => keptOf(shelf, row)),
        next: isLast ? null : next === "" ? `${part + 1} ` : `${part} ${next}`,
      };
    },
    async replace({ shelf, key, texts: [was, second], turn }, texts) {
      const place = [shelf, key, turn?.conversation ?? "", was ?? "", second ?? ""];
      const becomes = texts === null ? ["remove", "", ""] : ["replace", texts[0] ?? "", texts[1] ?? ""];
      const args = [now(), ...place, ...becomes.map(wellFormed)];
      return (await persistence.until(() => run("replace_record", args, "long"))) !== 0;
    },
    async conversations({ limit, after = "0" }) {
      const answer = await run("list_conversations", [now(), limit, after], "brief");
      const flat = answer as (string | number)[];
      const found = Array.from({ length: flat.length / 3 }, (_, i) => ({
        conversation: String(flat[3 * i]),
        seenAtMs: Number(flat[3 * i + 1]),
        turns: Number(flat[3 * i + 2]),
      }));
      return { found, next: found.length < limit ? null : String(Number(after) + found.length) };
    },
    scrub: () => link.rewriteFiles(),
  };
}

function keptOf(shelf: Shelf, [key, text, second, isOver, conversation, place]: Row): Kept {
  return {
    shelf,
    key,
    texts: shelf === "events" ? [text, second] : [text],
    ...(shelf === "events" && { isOver: isOver === 1 }),
    ...(conversation !== null && { turn: { conversation, seq: place ?? "" } }),
  };
}
