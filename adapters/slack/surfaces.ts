import { LRUCache } from "lru-cache";
import { contextItem } from "../../src/domain/context.ts";
import type { ReplyAddress, TriggerEvent } from "../../src/domain/event.ts";
import type { Aside } from "../../src/ports/desk.ts";
import { getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import { readAddress } from "./address.ts";
import type { CallSlack } from "./api.ts";
import { homeView } from "./home.ts";

export interface SurfaceOptions {
  /** What the home tab says; null: nothing is shown there. */
  readonly homeText: string | null;
  /** Offered in a new thread of the assistant's pane; Slack shows four at most. */
  readonly prompts: readonly Prompt[];
  /** Threads of the pane get the first words of their first message as their title. */
  readonly titles: boolean;
}
export interface Prompt {
  readonly title: string;
  readonly message: string;
}

const NOT_OPENED = "The form could not be opened in time. Please try again.";

export const NO_SURFACES: SurfaceOptions = { homeText: null, prompts: [], titles: false };

/** More at once are left out: they are a courtesy, and Slack limits them by the minute. */
const AT_ONCE_MAX = 50;
const THREADS_MAX = 1_000;
const TITLE_CHARS_MAX = 60;

/** Whose calls are made; null: the event is of no installation of ours, or nobody knows yet. */
export type CallIn = (tenant: string) => CallSlack | null;

/** Says something to the person alone, where that can be done at once. */
export type Tell = (to: ReplyAddress, text: string) => Promise<void>;

/** What is shown where nobody has said anything yet, and what opens at once. */
export class Surfaces {
  readonly #options: SurfaceOptions;
  readonly #callIn: CallIn;
  readonly #tell: Tell;
  /** Threads that were begun in the pane, and have no title yet. */
  readonly #untitled = new LRUCache<string, true>({ max: THREADS_MAX });
  /** What stands beside a thread of the pane. */
  readonly #views = new LRUCache<string, string>({ max: THREADS_MAX });
  #inHand = 0;

  constructor(options: SurfaceOptions, callIn: CallIn, tell: Tell = async () => {}) {
    this.#options = options;
    this.#callIn = callIn;
    this.#tell = tell;
  }

  /** Null: there is nothing to show. */
  asideFor(event: JsonObject, tenant: string): Aside | null {
    const type = getString(event, "type");
    if (type === "app_home_opened") return this.#home(event, tenant);
    if (type === "assistant_thread_context_changed") this.#look(event, tenant);
    return type === "assistant_thread_started" ? this.#pane(event, tenant) : null;
  }

  /** A message in the pane, with the channel that stood beside it when it was written, as far as this process has heard. */
  withView(event: TriggerEvent): TriggerEvent {
    const { tenant, isDirect, thread, place } = event;
    const channel = isDirect && thread !== null ? this.#views.get(`${tenant} ${place} ${thread}`) : undefined;
    if (channel === undefined) return event;
    const note = contextItem("note", `(Beside this conversation the channel #${channel} is open.)`, {
      mentions: [{ kind: "channel", id: channel, name: null }],
    });
    return { ...event, context: [...(event.context ?? []), note] };
  }

  #look(event: JsonObject, tenant: string): void {
    const thread = getObject(event, "assistant_thread");
    const [channel, ts] = [getString(thread, "channel_id"), getString(thread, "thread_ts")];
    if (channel === undefined || ts === undefined) return;
    const key = `${tenant} ${channel} ${ts}`;
    const seen = getString(getObject(thread, "context"), "channel_id");
    if (seen !== undefined && /^[CG][A-Z0-9]{1,30}$/.test(seen)) this.#views.set(key, seen);
    // A place that is none to name: what stood there before is not beside it any more.
    else this.#views.delete(key);
  }

  /** Of a message that was stored: the first of a thread in the pane names it. */
  accepted({ tenant, isDirect, text, thread, replyTo }: TriggerEvent): void {
    if (!isDirect || thread === null || text.trim() === "") return;
    const address = readAddress(replyTo);
    const key = `${tenant} ${address?.channel} ${thread}`;
    if (address === null || !this.#untitled.delete(key)) return;
    const title = titleOf(text);
    void this.#doing(tenant, (call) =>
      call(
        "assistant.threads.setTitle",
        { channel_id: address.channel, thread_ts: thread, title },
        UNSTOPPED,
      ),
    );
  }

  /** Tells the person where it does not open: they are waiting for it. */
  async open(event: TriggerEvent, triggerId: string, view: object): Promise<void> {
    const { tenant } = event;
    let isOpen = false;
    await this.#doing(tenant, async (call) => {
      await call("views.open", { trigger_id: triggerId, view }, UNSTOPPED);
      isOpen = true;
    });
    if (!isOpen) await this.#tell(event.replyTo, NOT_OPENED).catch(() => {});
  }

  #home(event: JsonObject, tenant: string): Aside | null {
    const { homeText } = this.#options;
    const [user, channel] = [getString(event, "user"), getString(event, "channel")];
    if (homeText === null || user === undefined || getString(event, "tab") !== "home") return null;
    return (desk) =>
      this.#doing(tenant, async (call) => {
        const usage = await desk.usageToday({ platform: "slack", tenant, id: user }).catch(() => null);
        await call("views.publish", { user_id: user, view: homeView(homeText, usage, channel) }, UNSTOPPED);
      });
  }

  #pane(event: JsonObject, tenant: string): Aside | null {
    const { prompts, titles } = this.#options;
    const begun = getObject(event, "assistant_thread");
    const [channel, thread] = [getString(begun, "channel_id"), getString(begun, "thread_ts")];
    if (channel === undefined || thread === undefined) return null;
    this.#look(event, tenant);
    if (titles) this.#untitled.set(`${tenant} ${channel} ${thread}`, true);
    if (prompts.length === 0) return null;
    const args = { channel_id: channel, thread_ts: thread, prompts };
    return () =>
      this.#doing(tenant, (call) => call("assistant.threads.setSuggestedPrompts", args, UNSTOPPED));
  }

  async #doing(tenant: string, show: (call: CallSlack) => Promise<unknown>): Promise<void> {
    const call = this.#callIn(tenant);
    if (call === null || this.#inHand >= AT_ONCE_MAX) return;
    this.#inHand += 1;
    try {
      await show(call);
    } catch {
      // Opened again, it is shown again.
    } finally {
      this.#inHand -= 1;
    }
  }
}

/** On one line, at a whole character. */
function titleOf(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length <= TITLE_CHARS_MAX ? line : `${line.slice(0, TITLE_CHARS_MAX - 1).toWellFormed()}…`;
}
