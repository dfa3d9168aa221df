import { isUtf8 } from "node:buffer";
import { extname } from "node:path";

const OFFICE = "application/vnd.openxmlformats-officedocument";

/** What the name says where the bytes do not: pictures and PDFs are known by theirs (dispatch/made-files.ts). */
const TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv",
  doc: "application/msword",
  docx: `${OFFICE}.wordprocessingml.document`,
  gz: "application/gzip",
  html: "text/html",
  json: "application/json",
  m4a: "audio/mp4",
  md: "text/markdown",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  pptx: `${OFFICE}.presentationml.presentation`,
  svg: "image/svg+xml",
  tar: "application/x-tar",
  wav: "audio/wav",
  webm: "video/webm",
  xls: "application/vnd.ms-excel",
  xlsx: `${OFFICE}.spreadsheetml.sheet`,
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
};

/** Undefined: bytes, of which nothing is known. */
export function typeByName(name: string, data: Buffer): string | undefined {
  const type = TYPES[extname(name).slice(1).toLowerCase()];
  return type ?? (isUtf8(data) && !data.includes(0) ? "text/plain" : undefined);
}
