import { cleanLabel, onOneLine } from "./text.ts";

const NAME_CHARS_MAX = 100;
const ENDINGS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
  "application/pdf": "pdf",
};
/** What answers that are too long for messages, and their code, are called (adapters/shared). */
const OURS = /^(?:answer|code)(?:-\d+)?\.[a-z]+$/i;

/**
 * What it is called where people see it: no path, no mark that turns letters round, an ending that says what it is, and unlike
 * all that are taken already, by which platforms tell them apart.
 */
export function fileName(given: string, mime: string, taken: readonly string[]): string {
  const last = onOneLine(given.split(/[/\\]/).at(-1) ?? "").replaceAll(/[\p{C}"`<>:|?*]/gu, "");
  const bare = last.replace(/^\.+/, "").trim() || "file";
  const ending = ENDINGS[mime];
  const isSo = ending === undefined || endingsOf(mime).test(bare);
  const whole = isSo ? bare : `${bare}.${ending}`;
  const [, stem = "", tail = ""] = /^(.*?)(\.[A-Za-z0-9]{1,10})?$/s.exec(whole) ?? [];
  const short = cleanLabel(stem.slice(0, NAME_CHARS_MAX).toWellFormed());
  const used = new Set(taken.map((name) => name.toLowerCase()));
  for (let number = 1; ; number++) {
    const name = `${short}${number === 1 ? "" : `-${number}`}${tail}`;
    if (!used.has(name.toLowerCase()) && (number > 1 || !OURS.test(name))) return name;
  }
}

function endingsOf(mime: string): RegExp {
  return mime === "image/jpeg" ? /\.jpe?g$/i : new RegExp(`\\.${ENDINGS[mime] ?? ""}$`, "i");
}

const MIME = /^[a-z0-9][a-z0-9.+-]{0,60}\/[a-z0-9][a-z0-9.+-]{0,90}$/;

/** As somebody from outside says it, without parameters; what is none is bytes. */
export function fileType(given: string | undefined): string {
  const plain = (given ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return MIME.test(plain) ? plain : "application/octet-stream";
}
