import type { ReplyAddress } from "../../src/domain/event.ts";
import type { ThreadReader } from "../../src/ports/adapter.ts";
import type { FileReader } from "../../src/ports/files.ts";
import { readAddress } from "./address.ts";
import { type CallSlack, createWeb, type WebOptions } from "./api.ts";
import { createFileReader } from "./downloads.ts";
import { Identity } from "./identity.ts";
import { createClient, type SlackClient } from "./send.ts";
import { createThreadReader, type ThreadLimits } from "./thread.ts";

/**
 * One installation of the app: its token, who we are there, and what is paced and remembered for it alone. Slack counts its
 * limits by workspace, and ids mean something only within one.
 */
export interface Workspace extends SlackClient {
  readonly call: CallSlack;
  readonly self: Identity;
  readonly thread: ThreadReader | null;
  readonly files: FileReader;
}

/** Whose workspace it is, by the tenant of an event; null: of an address that does not say. */
export type WorkspaceOf = (tenant: string | null) => Workspace;

export interface WorkspaceOptions extends WebOptions {
  readonly threadLimits?: ThreadLimits;
}

/** `tenants`: whose token it is, until Slack has told. */
export function createWorkspace(options: WorkspaceOptions, tenants: "any" | null): Workspace {
  const self = new Identity(tenants);
  const call = createWeb(options);
  const { threadLimits: limits, clock } = options;
  return {
    ...createClient(options, call, (posted) => self.notePost(posted)),
    call,
    self,
    files: createFileReader(options, call),
    thread: limits === undefined ? null : createThreadReader({ call, self, limits, clock }),
  };
}

/** Null: the address was written before it said so, or by somebody else. */
export function tenantIn(to: ReplyAddress): string | null {
  return readAddress(to)?.tenant ?? null;
}
