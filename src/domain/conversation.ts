import type { Platform } from "./event.ts";

/**
 * The key that orders runs and scopes memory: platform, tenant, place, thread.
 * Each part is escaped, so that no id from outside can pose as another conversation.
 */
export function conversationKey(parts: {
  platform: Platform;
  tenant: string;
  place: string;
  thread?: string | null;
}): string {
  const key = `${parts.platform}:${escapePart(parts.tenant)}:${escapePart(parts.place)}`;
  return parts.thread == null ? key : `${key}:${escapePart(parts.thread)}`;
}

function escapePart(part: string): string {
  return /[:%]/.test(part) ? part.replaceAll("%", "%25").replaceAll(":", "%3A") : part;
}
