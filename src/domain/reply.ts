import type { Brand } from "./brand.ts";
import type { ReplyAddress } from "./event.ts";

/** One platform message, rendered and within the platform's limit. JSON, minted and read by one adapter. */
export type ReplyPart = Brand<string, "ReplyPart">;

/** One part on its way to a platform. */
export interface Delivery {
  /** Stable over retries and restarts: the idempotency key towards the platform. */
  readonly partId: string;
  readonly to: ReplyAddress;
  readonly part: ReplyPart;
  readonly index: number;
  /** Sends begun earlier for this reply, all parts together. */
  readonly sendsBefore: number;
  /** True when an earlier send of this part may have landed: say so to the person. */
  readonly mayRepeat: boolean;
  /** Something else was said of the event before, which stays: this takes no place that was kept for the answer. */
  readonly follows?: true;
  /** It is not whole yet: more of it takes its place soon. */
  readonly isGrowing?: true;
  /** The bytes of a file that the part names (OutgoingFiles); null: it is not kept any more. Absent: it names none. */
  readonly readFile?: (id: string) => Promise<Buffer | null>;
}

/** Proof that a platform took a message. */
export interface Receipt {
  readonly messageId: string | null;
  /** The call that carried it: `chat.postMessage`, `response_url`, … */
  readonly via: string;
  /** Why nothing can be said after it, which the person has been told with it; absent: there may be more. */
  readonly endsReply?: string;
  /** That message holds the whole reply, the parts after it as well; absent: its own part alone. */
  readonly saysAll?: true;
}
