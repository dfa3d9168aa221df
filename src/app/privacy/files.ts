import { type Attachment, madeIdOf, mediaIdOf } from "../../domain/attachment.ts";
import type { ContextItem } from "../../domain/context.ts";
import { isSent, type SentFile } from "../../domain/made-file.ts";
import { filesMadeIn } from "../../domain/run.ts";
import type { Media } from "../../ports/media.ts";
import type { Kept } from "../../ports/records.ts";
import { eventIn, progressIn } from "./findings.ts";

/**
 * Deletes the files of an event that are wanted: its own (null), and those that came with what it refers to. A dry run
 * counts them. Gives how many there were.
 */
export async function dropFilesOf(
  kept: Kept,
  isWanted: (item: ContextItem | null) => boolean,
  media: Pick<Media, "find" | "forget">,
  isDry = false,
): Promise<number> {
  const event = kept.shelf === "events" ? eventIn(kept) : null;
  if (event === null) return 0;
  const items = [...(event.context ?? []), ...(progressIn(kept)?.earlier ?? [])].filter(isWanted);
  const files: readonly Attachment[] = [
    ...(isWanted(null) ? event.attachments : []),
    ...items.flatMap(({ attachments }) => attachments),
  ];
  // What tools have made for whoever asked is theirs.
  const made = isWanted(null) ? sentFilesIn(kept) : [];
  const keys = [
    ...files.map((file) => ({ conversation: event.conversation, id: mediaIdOf(event, file) })),
    ...made.map((file) => ({ conversation: event.conversation, id: madeIdOf(event, file) })),
  ];
  let gone = 0;
  for (const key of keys) {
    if ((await media.find(key)) === null) continue;
    if (!isDry) await media.forget(key.conversation, key.id);
    gone++;
  }
  return gone;
}

/** What was made, whether its answer is there by now or not. */
export function sentFilesIn(kept: Kept): readonly SentFile[] {
  const progress = progressIn(kept);
  return progress?.answer?.files ?? filesMadeIn(progress?.steps ?? []).filter(isSent);
}
