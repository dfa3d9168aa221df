import { DeliveryError } from "../../src/domain/errors.ts";
import type { SentFile } from "../../src/domain/made-file.ts";
import type { Delivery, ReplyPart } from "../../src/domain/reply.ts";
import { get, getArray, getString, parseJsonObject } from "../../src/shared/json.ts";
import type { ReplyFile } from "./answer-file.ts";

/** A file on its way into a message. */
export interface Upload {
  readonly name: string;
  readonly mime: string;
  readonly data: Buffer;
  /** As in ReplyFile. */
  readonly snippet?: string;
}

export function uploadOf({ name, mime, text, snippet }: ReplyFile): Upload {
  return { name, mime, data: Buffer.from(text), ...(snippet !== undefined && { snippet }) };
}

/** A message with files alone, which are named, and read when it is sent. */
export function filesPart(files: readonly SentFile[]): ReplyPart {
  return JSON.stringify({ files }) as ReplyPart;
}

/** Those that a part names; empty: it is another. */
export function filesIn(part: ReplyPart): readonly SentFile[] {
  const parsed = parseJsonObject(part);
  if (!parsed.ok) return [];
  return getArray(parsed.value, "files").flatMap((file) => {
    const [id, name, mime] = ["id", "name", "mime"].map((key) => getString(file, key));
    const bytes = get(file, "bytes");
    if (id === undefined || name === undefined || mime === undefined || typeof bytes !== "number") return [];
    return [{ id, name, mime, bytes }];
  });
}

/** Their bytes. Throws DeliveryError, `rejected` where one is not kept any more: nothing else would bring it back. */
export async function uploadsOf({ part, readFile }: Delivery): Promise<readonly Upload[]> {
  const uploads: Upload[] = [];
  for (const { id, name, mime } of filesIn(part)) {
    const data = (await readFile?.(id)) ?? null;
    if (data === null) throw new DeliveryError("rejected", "a file of the answer is not kept any more");
    uploads.push({ name, mime, data });
  }
  return uploads;
}
