import type { Explanation } from "../admin/explain.ts";
import type { EventDetail } from "../admin/schemas.ts";
import { FATE_HEADERS } from "../ingress/fate.ts";
import { get, getString, parseJsonObject } from "../shared/json.ts";
import { systemClock } from "../system/clock.ts";
import { isRedirect } from "./ask.ts";
import { type Client, Refused } from "./client.ts";
import { printable } from "./printable.ts";

/** What became of a webhook that was sent by hand. */
export interface Fate {
  /** As in `parley_webhooks_total`; `acknowledged` where only the gateway knows. */
  readonly outcome: string;
  readonly reason?: string;
  readonly eventId?: string;
}

/** As the gateway tells whoever shows it the developer's key; null when it does not. */
export function toldFate(headers: Headers): Fate | null {
  const read = (name: string) => {
    const value = headers.get(name);
    return value === null ? undefined : decodeURIComponent(value);
  };
  try {
    const outcome = read(FATE_HEADERS.outcome);
    const reason = read(FATE_HEADERS.reason);
    const eventId = read(FATE_HEADERS.event);
    if (outcome === undefined) return null;
    return { outcome, ...(reason !== undefined && { reason }), ...(eventId !== undefined && { eventId }) };
  } catch {
    return null; // Not ours.
  }
}

/** How often, and how long, to ask for a request that another replica may have taken. */
const ASK_EVERY_MS = 200;
const ASK_MS = 2_000;

/** As the admin API tells; null when it does not know the request. */
export async function askedFate(client: Client, requestId: string): Promise<Fate | null> {
  for (let waited = 0; waited <= ASK_MS; waited += ASK_EVERY_MS) {
    try {
      const found = await client.json<Explanation>(`/explain/${encodeURIComponent(requestId)}`);
      const { outcome, reason, event } = found;
      return {
        outcome,
        ...(reason !== null && { reason }),
        ...(event !== undefined && { eventId: event.id }),
      };
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
    }
    await systemClock.sleep(ASK_EVERY_MS);
  }
  return null;
}

const OUTCOMES: Readonly<Record<number, string>> = {
  400: "malformed",
  401: "forged",
  403: "handshake-refused",
  413: "too-large",
  415: "unsupported",
  503: "unavailable",
};

/** What can be told of the answer alone. */
export function guessedFate(isForDevelopers: boolean, status: number, body: string): Fate {
  const parsed = parseJsonObject(body);
  const answer = parsed.ok ? parsed.value : {};
  if (status >= 200 && status < 300) {
    const outcome = isForDevelopers ? getString(answer, "status") : undefined;
    const id = getString(answer, "id");
    return outcome === undefined ? { outcome: "acknowledged" } : { outcome, ...(id && { eventId: id }) };
  }
  const reason = isRedirect(status) ? REDIRECTED : getString(get(answer, "error"), "message");
  return { outcome: OUTCOMES[status] ?? "refused", ...(reason !== undefined && { reason }) };
}

const REDIRECTED = "a redirect, which is not followed; give --url the address of the gateway itself";

/** Whether a run comes of it, or came of it before, or none was to come: a ping, a handshake. */
export function isTaken({ outcome }: Fate): boolean {
  return ["accepted", "duplicate", "handshake", "acknowledged"].includes(outcome);
}

const ENDED: ReadonlySet<string> = new Set(["done", "dropped", "dead", "merged"]);

export interface Followed {
  readonly event: EventDetail;
  /** What tells how it ended: the event itself, or the one that it was answered together with. */
  readonly answeredBy: EventDetail;
}

/** The event when it has ended, or as it is when the time is up. */
export async function followEvent(client: Client, eventId: string, seconds: number): Promise<Followed> {
  const find = (id: string) => client.json<EventDetail>(`/events/${encodeURIComponent(id)}`);
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const event = await find(eventId);
    if (ENDED.has(event.state) || performance.now() >= until) {
      const into = event.state === "merged" ? event.merged_into : null;
      return { event, answeredBy: into === null ? event : await find(into) };
    }
    await systemClock.sleep(ASK_EVERY_MS);
  }
}

/** In a line. */
export function endingOf({ event, answeredBy }: Followed): string {
  if (event === answeredBy) return event.state;
  return `merged: answered together with ${printable(answeredBy.id)}, which is ${answeredBy.state}`;
}
