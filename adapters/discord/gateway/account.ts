import { createHash } from "node:crypto";
import type { Secret } from "../../../src/shared/secret.ts";
import { isSnowflake } from "../snowflake.ts";

/** The bot's user id, which a token begins with; of a token of another form, what cannot be turned back into it. */
export function accountOf(token: Secret): string {
  const [first = ""] = token.reveal().split(".", 1);
  const id = Buffer.from(first, "base64").toString("latin1");
  if (token.reveal().includes(".") && isSnowflake(id)) return id;
  return createHash("sha256").update(token.reveal()).digest("hex").slice(0, 16);
}
