import type { Attachment } from "../../src/domain/attachment.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { isSnowflake } from "./snowflake.ts";

/** A message lists its files; what an interaction refers to comes as a table by id. */
export function attachmentsIn(holder: JsonObject | undefined): readonly Attachment[] {
  const table = getObject(holder, "attachments");
  return (table === undefined ? getArray(holder, "attachments") : Object.values(table)).flatMap(
    readAttachment,
  );
}

function readAttachment(file: unknown): readonly Attachment[] {
  const id = get(file, "id");
  if (!isSnowflake(id)) return [];
  const mime = getString(file, "content_type")?.toWellFormed() ?? null;
  const size = get(file, "size");
  const source = getString(file, "url")?.toWellFormed();
  return [
    {
      id,
      kind: kindOf(mime),
      name: getString(file, "filename")?.toWellFormed() ?? null,
      mime,
      sizeBytes: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : null,
      ...(source !== undefined && { source }),
    },
  ];
}

function kindOf(mime: string | null): Attachment["kind"] {
  const family = mime?.split("/", 1)[0];
  return family === "image" || family === "audio" || family === "video" ? family : "document";
}
