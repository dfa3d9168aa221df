import type { Button } from "../../domain/button.ts";
import type { Platform, ReplyAddress } from "../../domain/event.ts";
import type { LinkHosts } from "../../domain/link-hosts.ts";
import type { Named } from "../../domain/mention.ts";
import type { ReplyPart } from "../../domain/reply.ts";

export interface RenderRequest {
  readonly platform: Platform;
  /** See `Adapter.renderer`. */
  readonly renderer: string;
  readonly markdown: string;
  readonly to: ReplyAddress;
  readonly buttons?: readonly Button[] | undefined;
  readonly named?: readonly Named[] | undefined;
  readonly linkHosts?: LinkHosts | undefined;
}

export interface RenderResult {
  /** Null: it could not be rendered, for `cause`. */
  readonly parts: readonly ReplyPart[] | null;
  readonly cause?: string;
}
