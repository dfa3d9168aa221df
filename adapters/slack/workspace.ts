import type { ReplyAddress } from "../../src/domain/event.ts";
import type { ThreadReader } from "../../src/ports/adapter.ts";
import type { FileReader } from "../../src/ports/files.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { Preview } from "../shared/preview-option.ts";
import { readAddress } from "./address.ts";
import { type CallSlack, createWeb, type WebOptions } from "./api.ts";
import { createFileReader } from "./downloads.ts";
import { Identity } from "./identity.ts";
import { createClient, type SlackClient } from "./send.ts";
import { createStreaming, type Streaming } from "./stream.ts";
import { createThreadReader, type ThreadLimits } from "./thread.ts";

/**
 * One installation of the app: its token, who we are there, and what is paced and remembered for it alone. Slack counts its
 * limits by workspace, and ids mean something only within one.
 */
export interface Workspace extends SlackClient, Omit<Streaming, "isShown" | "send"> {
  readonly call: CallSlack;
  readonly self: Identity;
  readonly thread: ThreadReader | null;
  readonly files: FileReader;
}

/** Whose workspace it is, by the tenant of an event; null: of an address that does not say. */
export type WorkspaceOf = (tenant: string | null) => Workspace;

export interface WorkspaceOptions extends WebOptions {
  readonly threadLimits?: ThreadLimits;
  readonly preview?: Preview;
}

/** `tenants`: whose token it is, until Slack has told. */
export function createWorkspace(options: WorkspaceOptions, tenants: "any" | null): Workspace {
  const self = new Identity(tenants);
  const call = createWeb(options);
  const { threadLimits: limits, clock } = options;
  const posted = (answer: JsonObject) => self.notePost(answer);
  const client = createClient(options, { call, self, posted, isShown: (to) => isShown(to) });
  const { preview = "on" } = options;
  const { isShown, ...streaming } = createStreaming({ call, clock, preview, send: client.send, posted });
  return {
    ...client,
    ...streaming,
    call,
    self,
    files: createFileReader(options, call),
    thread: limits === undefined ? null : createThreadReader({ call, self, limits, clock }),
  };
}

/** Null: the address was written before it said so, or of a place that is configured without its workspace: the only one. */
export function tenantIn(to: ReplyAddress): string | null {
  const tenant = readAddress(to)?.tenant ?? "";
  return tenant === "" ? null : tenant;
}
