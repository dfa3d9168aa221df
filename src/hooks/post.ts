import { DeliveryError } from "../domain/errors.ts";
import { call } from "../shared/call.ts";
import { messageOf, retryAfterMs } from "../shared/fault.ts";
import { webhookHeaders } from "../shared/standard-webhooks.ts";
import { iso } from "../shared/time.ts";
import type { WebhookTarget } from "./target.ts";

/** Of an answer nobody reads more than its status. */
const ANSWER_BYTES_MAX = 4_096;

/** As it is sent: `data` holds what the type has, and the text where the hook has asked for it. */
export interface HookBody {
  readonly type: string;
  readonly atMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export type PostEnd =
  | { readonly kind: "delivered"; readonly status: number }
  /** `status` null: there was no answer, or none that can be believed. */
  | {
      readonly kind: "failed";
      readonly status: number | null;
      readonly cause: string;
      readonly retryAfterMs: number | null;
    }
  /** 410: whoever is there wants no more of it. */
  | { readonly kind: "gone"; readonly status: number; readonly cause: string };

export interface PostOptions {
  readonly id: string;
  readonly version: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** One call of a hook, signed as Standard Webhooks has it. Follows no redirect. Rejects when aborted, and else never. */
export async function postHook(
  target: Pick<WebhookTarget, "url" | "secrets" | "timeoutMs">,
  { type, atMs, data }: HookBody,
  { id, version, nowMs, signal }: PostOptions,
): Promise<PostEnd> {
  const body = JSON.stringify({ type, timestamp: iso(atMs), data });
  const message = { id, timestampSeconds: Math.floor(nowMs / 1000), body };
  try {
    const { status, headers } = await call(target.url, {
      ...{ what: "hook", setting: "hooks[].url", body, signal },
      headers: {
        ...webhookHeaders(message, target.secrets),
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
        "user-agent": `parley/${version}`,
      },
      timeoutMs: target.timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
    });
    if (status >= 200 && status <= 299) return { kind: "delivered", status };
    const cause = `answered ${status}`;
    if (status === 410) return { kind: "gone", status, cause };
    return {
      kind: "failed",
      status,
      cause,
      retryAfterMs: retryAfterMs(headers["retry-after"] ?? null, nowMs),
    };
  } catch (error) {
    signal.throwIfAborted();
    const status = error instanceof DeliveryError ? error.status : null;
    return { kind: "failed", status, cause: messageOf(error), retryAfterMs: null };
  }
}
