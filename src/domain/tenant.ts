import { partsOfKey } from "./conversation.ts";
import { PLATFORMS, type Platform } from "./event.ts";

/** A workspace of a platform, as budgets and tokens name it: `platform:id`. */
export interface TenantRef {
  readonly platform: Platform;
  readonly tenant: string;
}

/** Of a text like `platform:id`; null: it is none. */
export function tenantIn(text: string): TenantRef | null {
  const end = text.indexOf(":");
  const platform = PLATFORMS.find((name) => name === text.slice(0, end));
  const tenant = text.slice(end + 1);
  return platform === undefined || !TENANT.test(tenant) ? null : { platform, tenant };
}

const TENANT = /^[!-~]{1,100}$/;

/** The id in a token that is bound to a tenant, which finds its row: what opens is the whole. Null: it is no such token. */
export function tokenIdIn(text: string): string | null {
  return /^parley_(tok_[0-9a-v]{1,40})_[A-Za-z0-9_-]{43}$/.exec(text)?.[1] ?? null;
}

/** Where the tenant is not known, nobody's. */
export function tenantName({ platform, tenant }: { platform: string; tenant: string | null }): string | null {
  return tenant === null || tenant === "" ? null : `${platform}:${tenant}`;
}

/** Whether the key of a conversation is one of this tenant. */
export function isConversationOf(tenant: string, conversation: string): boolean {
  const parts = partsOfKey(conversation);
  return parts !== null && tenantName(parts) === tenant;
}
