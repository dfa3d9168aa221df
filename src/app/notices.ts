import { createHash } from "node:crypto";
import { closest } from "../config/closest.ts";
import type { NotifySpec } from "../config/notify-schema.ts";
import { partsOfKey } from "../domain/conversation.ts";
import { DeliveryError } from "../domain/errors.ts";
import { PLATFORMS } from "../domain/event.ts";
import type { ApprovalPlace } from "../domain/run.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { NoticeDesk, NoticeEnd, NoticeOrder, SaidKeys } from "../ports/notices.ts";
import { messageOf } from "../shared/fault.ts";
import { sayAt } from "./say-notice.ts";

export interface NoticesDeps {
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** As the configuration has them now. */
  readonly places: () => readonly NotifySpec[];
  readonly keys: SaidKeys;
  readonly clock: Clock;
  readonly newId: NewId;
}

const TIMEOUT_MS = 30_000;

type Place = ApprovalPlace & { readonly name: string };

/** Says what an operator has written, now, in a place of `notify` or in a conversation. */
export function createNotices({ adapters, places, keys, clock, newId }: NoticesDeps): NoticeDesk {
  async function send(place: Place, text: string, id: string, signal: AbortSignal): Promise<NoticeEnd> {
    try {
      await sayAt(place, text, { id, signal, timeoutMs: TIMEOUT_MS }, adapters);
      return { kind: "said", to: place.name };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DeliveryError)) throw error;
      const { kind } = error;
      if (kind === "rejected" || kind === "refused") return { kind: "refused", message: messageOf(error) };
      return kind === "retry"
        ? { kind: "away", message: messageOf(error) }
        : { kind: "conflict", message: `Nobody can tell whether it was said: ${messageOf(error)}` };
    }
  }

  return {
    async say({ to, text, key }: NoticeOrder, signal: AbortSignal): Promise<NoticeEnd> {
      const place = placeFor(to, places());
      if ("message" in place) return { kind: "wrong", message: place.message };
      const why = whyNot(place, adapters);
      if (why !== null) return { kind: "refused", message: why };
      if (key === undefined) return await send(place, text, newId("msg"), signal);
      const digest = digestOf([place.name, text]);
      const begun = await keys.begin(key, digest, { id: newId("msg"), atMs: clock.nowMs() });
      if (begun === "said") return { kind: "said_before", to: place.name };
      if (begun !== "fresh") return { kind: "conflict", message: CONFLICTS[begun] };
      // By the same key it is the same message to a platform that can tell.
      const end = await send(place, text, `msg_${digestOf([key]).slice(0, 32)}`, signal);
      if (end.kind === "said") await keys.said(key, digest, clock.nowMs());
      else if (end.kind !== "conflict") await keys.takeBack(key);
      return end;
    },
  };
}

const CONFLICTS = {
  other: "By this key another text was said, or in another place: expected a key of its own",
  begun:
    "By this key it is being said, or nobody can tell whether it was; look there, and say it again by another key",
} as const;

function digestOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** A configured place by its name, or the place of a conversation. */
function placeFor(
  to: string | undefined,
  places: readonly NotifySpec[],
): Place | { readonly message: string } {
  const names = places.map(({ name }) => name);
  const [only] = places;
  if (to === undefined) {
    if (only !== undefined && places.length === 1) return configured(only);
    const which = names.length === 0 ? "gateway.yaml has no notify" : `there are ${names.join(", ")}`;
    return {
      message: `Expected \`to\`, a place of notify or the key of a conversation; got none, and ${which}`,
    };
  }
  const named = places.find(({ name }) => name === to);
  if (named !== undefined) return configured(named);
  const parts = partsOfKey(to);
  const platform = PLATFORMS.find((name) => name === parts?.platform);
  if (parts !== null && platform !== undefined)
    return { name: to, platform, tenant: parts.tenant, channel: parts.place, thread: parts.thread };
  const near = closest(to, [...names, ...PLATFORMS]);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  const known = names.length === 0 ? "of which gateway.yaml has none" : names.join(", ");
  return {
    message: `Expected the key of a conversation, as platform:workspace:channel or platform:workspace:channel:thread, or a place of notify (${known}); got ${to}${hint}`,
  };
}

function configured({ name, platform, tenant, channel, thread }: NotifySpec): Place {
  return { name, platform, tenant: tenant ?? null, channel, thread: thread ?? null };
}

function whyNot(
  { platform, tenant, channel, thread }: Place,
  adapters: NoticesDeps["adapters"],
): string | null {
  const adapter = adapters.get(platform);
  if (adapter === undefined) return `${platform} is switched off: nothing can be said there`;
  if (adapter.addressOf === undefined) return `On ${platform} no bot may speak first`;
  const at = { tenant: tenant ?? "", channel, thread, eventId: "" };
  return adapter.addressOf(at) === null ? `${channel} is no place of ${platform}` : null;
}
