import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import { get, getString, type JsonObject } from "../../src/shared/json.ts";
import type { CallSlack } from "./api.ts";

/** Who we are, as far as it is known: filled in by `auth.test`, and by what Slack says of our own posts. */
export interface SlackSelf {
  readonly userId: string | null;
  readonly botId: string | null;
  /** Whether this process posted the message with this time stamp a while ago. */
  posted(ts: string): boolean;
}

/** Own posts that are remembered; they come back within seconds. */
const POSTS_MAX = 1_000;

export class Identity implements SlackSelf {
  userId: string | null = null;
  botId: string | null = null;
  /** Whose token this is: null while nobody knows; `any` where Slack does not tell. */
  tenants: ReadonlySet<string> | "any" | null;
  readonly #posts = new LRUCache<string, true>({ max: POSTS_MAX });

  /** `tenants`: what holds until Slack has told. */
  constructor(tenants: "any" | null) {
    this.tenants = tenants;
  }

  posted(ts: string): boolean {
    return this.#posts.has(ts);
  }

  /** Whether this is an installation that the token is of; null while nobody knows. */
  serves(tenant: string): boolean | null {
    return this.tenants === "any" ? true : (this.tenants?.has(tenant) ?? null);
  }

  /** The answer to a post tells its id, and under which user Slack shows it. */
  notePost(posted: JsonObject): void {
    const ts = getString(posted, "ts");
    if (ts !== undefined) this.#posts.set(ts, true);
    this.userId ??= getString(get(posted, "message"), "user") ?? null;
    this.botId ??= getString(get(posted, "message"), "bot_id") ?? null;
  }

  /**
   * Asks Slack once. False: it did not answer, or not now; worth another try. A token that is not
   * taken may be tomorrow, and until then nothing is run for it. Other refusals are an answer: whoever cannot
   * say whose token it has is not asked again, and whatever it delivers is taken for its own.
   */
  async learn(call: CallSlack, signal: AbortSignal): Promise<boolean> {
    try {
      this.#take(await call("auth.test", {}, signal));
    } catch (error) {
      if (!(error instanceof DeliveryError) || error.kind !== "rejected") return false;
      this.tenants ??= "any";
    }
    return true;
  }

  #take(answer: JsonObject): void {
    this.userId = getString(answer, "user_id") ?? this.userId;
    this.botId = getString(answer, "bot_id") ?? this.botId;
    const ids = ["team_id", "enterprise_id"].flatMap((key) => getString(answer, key) ?? []);
    this.tenants = ids.length === 0 ? "any" : new Set(ids);
  }
}
