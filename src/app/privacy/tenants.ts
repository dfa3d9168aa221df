import { conversationKey } from "../../domain/conversation.ts";
import type { Platform } from "../../domain/event.ts";
import { personIn } from "../../domain/privacy.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Kept } from "../../ports/records.ts";
import type { Store } from "../../ports/store.ts";
import { dropFilesOf } from "./files.ts";
import { eventIn, inJson, recordsWith, turnIn } from "./findings.ts";
import type { PrivacyDeps } from "./index.ts";

/** The whole store is looked through each time. */
const EVERY_MS = 3_600_000;

export interface TenantsDeps {
  readonly store: Pick<Store, "records">;
  readonly media: PrivacyDeps["media"];
  /** Seconds that each keeps, by `platform:workspace`; as configured now. */
  readonly keptSeconds: () => Readonly<Record<string, number>>;
  readonly clock: Pick<Clock, "nowMs">;
}

interface Tenant {
  readonly platform: Platform;
  readonly tenant: string;
  /** How the keys of its conversations begin, and those of its people's memories. */
  readonly begins: readonly string[];
  readonly keptMs: number;
}

/** Deletes what workspaces keep for a shorter time than others, once an hour. Gives how many records went. */
export function createTenantSweep({ store: { records }, media, keptSeconds, clock }: TenantsDeps) {
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  return async (): Promise<number> => {
    const nowMs = clock.nowMs();
    const tenants = tenantsIn(keptSeconds());
    if (tenants.length === 0 || Math.abs(nowMs - sweptAtMs) < EVERY_MS) return 0;
    let gone = 0;
    const words = tenants.flatMap(({ tenant, begins }) => [inJson(tenant), ...begins]);
    for await (const kept of recordsWith(records, words, ["events", "turns"])) {
      if (!isTooOld(kept, tenants, nowMs)) continue;
      const event = kept.shelf === "events" ? eventIn(kept) : null;
      if (event !== null) await dropFilesOf(kept, () => true, media);
      if (await records.replace(kept, null)) gone++;
    }
    sweptAtMs = nowMs;
    return gone;
  };
}

function isTooOld(kept: Kept, tenants: readonly Tenant[], nowMs: number): boolean {
  if (kept.shelf === "turns") {
    const turn = turnIn(kept);
    const memory = kept.turn?.conversation ?? "";
    const of = tenants.find(({ begins }) => begins.some((begin) => memory.startsWith(begin)));
    return turn !== null && of !== undefined && turn.atMs < nowMs - of.keptMs;
  }
  const event = eventIn(kept);
  const of = tenants.find(({ platform, tenant }) => event?.platform === platform && event.tenant === tenant);
  return kept.isOver === true && event !== null && of !== undefined && event.occurredAtMs < nowMs - of.keptMs;
}

function tenantsIn(keptSeconds: Readonly<Record<string, number>>): readonly Tenant[] {
  return Object.entries(keptSeconds).flatMap(([name, seconds]) => {
    const found = personIn(`${name}:-`);
    if (found === null) return [];
    const place = { platform: found.platform as Platform, tenant: found.tenant };
    const begin = conversationKey({ ...place, place: "" });
    return [{ ...place, begins: [begin, `user:${begin}`], keptMs: seconds * 1000 }];
  });
}
