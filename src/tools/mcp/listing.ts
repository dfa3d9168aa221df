import type { Client, Tool as Listed } from "@modelcontextprotocol/client";
import { z } from "zod";
import { isObject } from "../../shared/json.ts";
import { LISTED_MAX, PAGES_MAX } from "../bounds.ts";

const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });

/**
 * All tools of a server that are tools: one that is broken must not cost the others, so each is looked at by itself and not by
 * the library, which refuses the whole list.
 */
export async function listTools(client: Client, timeoutMs: number): Promise<readonly Listed[]> {
  const tools: Listed[] = [];
  let cursor: string | null | undefined;
  for (let pages = 0; pages < PAGES_MAX && tools.length < LISTED_MAX; pages++) {
    const params = cursor ? { cursor } : {};
    const found = await client.request({ method: "tools/list", params }, page, { timeout: timeoutMs });
    tools.push(...found.tools.filter(isTool));
    if (!found.nextCursor || found.nextCursor === cursor) break;
    cursor = found.nextCursor;
  }
  return tools.slice(0, LISTED_MAX);
}

function isTool(value: unknown): value is Listed {
  if (!isObject(value) || typeof value.name !== "string" || !isObject(value.inputSchema)) return false;
  const { name, description, annotations } = value;
  const isNamed = name.length > 0 && name.length <= 200;
  return isNamed && isTextOrNone(description) && (annotations === undefined || isObject(annotations));
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
