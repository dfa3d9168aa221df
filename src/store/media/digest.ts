import { createHash } from "node:crypto";

/** A name for what is kept, of which nothing that came from outside is a part. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 32);
}
