import type { Button } from "../../src/domain/button.ts";
import type { Platform, ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery, Receipt, ReplyPart } from "../../src/domain/reply.ts";
import {
  type Adapter,
  GENUINE,
  type Inbound,
  PLAIN_WEBHOOK,
  type Recovery,
  type Socket,
  type ThreadReader,
  type Verdict,
} from "../../src/ports/adapter.ts";
import type { FileReader } from "../../src/ports/files.ts";
import type { Permit } from "../../src/shared/call.ts";

type Fate = (
  delivery: Delivery,
  signal: AbortSignal,
  permit: Permit | undefined,
) => Receipt | Promise<Receipt>;

type EditFate = (...call: Parameters<Fate>) => Receipt | "gone" | Promise<Receipt | "gone">;

/** A platform in memory. `|` in a text divides it into messages. */
export class FakeAdapter implements Adapter {
  readonly platform: Platform;
  readonly webhook = PLAIN_WEBHOOK;
  socket?: Socket;
  /** Every send that was begun. */
  readonly sends: Delivery[] = [];
  readonly recoveries: Delivery[] = [];
  readonly renderings: string[] = [];
  /** One for each time that the bot was shown as working. */
  readonly typings: AbortSignal[] = [];
  readonly dismissed: ReplyAddress[] = [];
  ignored: NonNullable<Adapter["ignored"]> = {};
  parsed = 0;
  verdict: Verdict | (() => Verdict) = GENUINE;
  inbound: Inbound = { kind: "ignored", reason: "test", ack: { status: 200 } };
  /** What becomes of the next sends, one after the other; when there is none, they succeed. */
  readonly fates: Fate[] = [];
  /** What becomes of a send when there is nothing in `fates`. */
  fate: Fate = ({ index }) => ({ messageId: `m${index}`, via: "fake" });
  /** Every change of a message that was begun, where it can change any (`canEdit`). */
  readonly edits: { readonly receipt: Receipt; readonly delivery: Delivery }[] = [];
  readonly editFates: EditFate[] = [];
  edit?: NonNullable<Adapter["edit"]>;
  previewInMs?: NonNullable<Adapter["previewInMs"]>;
  growingAt?: NonNullable<Adapter["growingAt"]>;
  memory: Recovery = "unknown";
  thread?: ThreadReader;
  files?: FileReader;
  outgoing?: NonNullable<Adapter["outgoing"]>;
  roles?: NonNullable<Adapter["roles"]>;
  serves?: NonNullable<Adapter["serves"]>;
  /** Absent: nobody may speak first there. */
  addressOf?: NonNullable<Adapter["addressOf"]>;
  accepted?: NonNullable<Adapter["accepted"]>;
  destinationOf?: NonNullable<Adapter["destinationOf"]>;

  constructor(platform: Platform = "slack") {
    this.platform = platform;
  }

  /** What people read, in order. */
  get said(): string[] {
    return this.sends.map(({ part, mayRepeat }) => (mayRepeat ? `(again?) ${part}` : part));
  }

  verify(): Verdict {
    return typeof this.verdict === "function" ? this.verdict() : this.verdict;
  }

  screen(): null {
    return null;
  }

  parse(): Inbound {
    this.parsed += 1;
    return this.inbound;
  }

  render(markdown: string, _to?: ReplyAddress, buttons: readonly Button[] = []): readonly ReplyPart[] {
    this.renderings.push(markdown);
    const below = buttons.map(({ id, label }) => `\n[${label}](${id})`).join("");
    return `${markdown}${below}`.split("|") as unknown as readonly ReplyPart[];
  }

  async send(delivery: Delivery, signal: AbortSignal, permit?: Permit): Promise<Receipt> {
    this.sends.push(delivery);
    return await (this.fates.shift() ?? this.fate)(delivery, signal, permit);
  }

  canEdit(): this {
    this.edit = async (receipt, delivery, signal, permit) => {
      this.edits.push({ receipt, delivery });
      const fate = this.editFates.shift();
      return fate === undefined ? { ...receipt, via: "fake edit" } : await fate(delivery, signal, permit);
    };
    return this;
  }

  async recover(delivery: Delivery): Promise<Recovery> {
    this.recoveries.push(delivery);
    return this.memory;
  }

  async dismiss(to: ReplyAddress): Promise<void> {
    this.dismissed.push(to);
  }

  async typing(_to: ReplyAddress, signal: AbortSignal): Promise<void> {
    this.typings.push(signal);
  }
}

/** A fate: the send fails with this error. */
export function failing(error: Error): () => never {
  return () => {
    throw error;
  };
}
