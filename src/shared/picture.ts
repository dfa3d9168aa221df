import type { PictureView } from "../domain/attachment.ts";

/** An image is made smaller by the provider before it is read, so that none costs more. */
const PICTURE_TOKENS_MAX = 5_000;

/** By its first bytes, whatever it is called; null: none that a model can be shown. */
export function pictureType(bytes: Buffer): PictureView["mime"] | null {
  const at = (from: number, to: number) => bytes.toString("latin1", from, to);
  if (at(0, 8) === "\x89PNG\r\n\x1a\n") return "image/png";
  if (at(0, 3) === "\xff\xd8\xff") return "image/jpeg";
  if (/^GIF8[79]a$/.test(at(0, 6))) return "image/gif";
  return at(0, 4) === "RIFF" && at(8, 12) === "WEBP" ? "image/webp" : null;
}

export function pictureView(mime: PictureView["mime"], bytes: number, base64: () => string): PictureView {
  return { kind: "image", mime, bytes, tokensMax: PICTURE_TOKENS_MAX, base64 };
}
