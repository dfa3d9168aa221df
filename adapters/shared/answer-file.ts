import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import { get, getArray, getObject } from "../../src/shared/json.ts";
import type { Limit } from "./split.ts";

/** A file that goes out with a reply. Plain data: stored with its part. */
export interface ReplyFile {
  readonly name: string;
  readonly mime: string;
  readonly text: string;
  /** Shown as code of this kind, as the platform calls it. */
  readonly snippet?: string;
  /** To which hosts it may link where it is said as messages; absent: to any. */
  readonly linkHosts?: readonly string[];
}

/** The whole of an answer that is too long for messages. */
export function answerFile(markdown: string, linkHosts: LinkHosts = "any"): ReplyFile {
  const file = { name: "answer.md", mime: "text/markdown", text: markdown.toWellFormed() };
  return linkHosts === "any" ? file : { ...file, linkHosts };
}

/** Of such an answer one message holds the beginning. `keptChars`: what the platform may have to add to it. */
export function beginningAlone(keptChars: number): Limit {
  return {
    messagesMax: 1,
    notice: () => "… (This is the beginning; the whole answer is in the file.)",
    keptChars,
  };
}

export function readFile(part: unknown): ReplyFile | null {
  const file = getObject(part, "file");
  const [name, mime, text, snippet] = ["name", "mime", "text", "snippet"].map((key) => get(file, key));
  if (typeof name !== "string" || typeof mime !== "string" || typeof text !== "string") return null;
  const linkHosts = getArray(file, "linkHosts").filter((host) => typeof host === "string");
  return {
    ...{ name, mime, text },
    ...(typeof snippet === "string" && { snippet }),
    ...(get(file, "linkHosts") !== undefined && { linkHosts }),
  };
}
