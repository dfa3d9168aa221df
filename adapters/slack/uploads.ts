import { DeliveryError } from "../../src/domain/errors.ts";
import type { Receipt } from "../../src/domain/reply.ts";
import type { Recovery } from "../../src/ports/adapter.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { get, getArray, getString, type JsonObject } from "../../src/shared/json.ts";
import type { ReplyFile } from "../shared/answer-file.ts";
import { filePlace } from "../shared/files.ts";
import { unseen } from "../shared/uploads.ts";
import type { MessageAddress } from "./address.ts";
import type { CallSlack, WebOptions } from "./api.ts";
import { HOSTS } from "./downloads.ts";
import { statusFailure } from "./failure.ts";
import type { SlackSelf } from "./identity.ts";
import { partOf } from "./metadata.ts";

const BEGIN = "files.getUploadURLExternal";
const COMPLETE = "files.completeUploadExternal";
const ANSWER_BYTES_MAX = 64 * 1024;

interface Uploading {
  readonly file: ReplyFile;
  /** Said with it; may be empty. */
  readonly comment: string;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/** In three calls. Nobody sees anything before the last of them, so that only that one leaves a doubt. */
export async function upload(
  address: Pick<MessageAddress, "channel" | "threadTs">,
  { file, comment, signal, permit }: Uploading,
  options: WebOptions,
  callSlack: CallSlack,
): Promise<Receipt> {
  const bytes = Buffer.from(file.text);
  const kind = file.snippet === undefined ? {} : { snippet_type: file.snippet };
  const begun = await unseen(
    callSlack(BEGIN, { filename: file.name, length: bytes.length, ...kind }, signal),
  );
  const fileId = getString(begun, "file_id");
  const place = filePlace(getString(begun, "upload_url") ?? "", HOSTS, options.apiUrl);
  if (fileId === undefined || place === null)
    throw new DeliveryError("rejected", `${BEGIN}: expected an id and an address of Slack's, got others`);
  await unseen(post(place.url, bytes, options, signal));
  await callSlack(
    COMPLETE,
    {
      files: [{ id: fileId, title: file.name }],
      channel_id: address.channel,
      ...(address.threadTs !== null && { thread_ts: address.threadTs }),
      ...(comment !== "" && { initial_comment: comment }),
    },
    signal,
    permit,
  );
  return { messageId: null, via: COMPLETE };
}

async function post(
  url: URL,
  body: Buffer,
  { timeoutMs, clock }: WebOptions,
  signal: AbortSignal,
): Promise<void> {
  const what = "upload of a file";
  const { status, headers } = await call(url.href, {
    what,
    setting: "SLACK_API_URL",
    headers: { "content-type": "application/octet-stream", "content-length": String(body.length) },
    body,
    signal,
    timeoutMs,
    bytesMax: ANSWER_BYTES_MAX,
  });
  const answered = { status, retryAfter: headers["retry-after"] ?? null };
  const failure = statusFailure(what, answered, clock.nowMs());
  if (failure !== null) throw failure;
}

/**
 * A message with a file carries no mark of ours. But a file comes after a message of the same answer that has one: it is the
 * first of that name by us after it, and before what else we have said. No two files of an answer have one name.
 */
export function uploadAfter(
  messages: readonly JsonObject[],
  { partId, name }: { readonly partId: string; readonly name: string },
  self: SlackSelf,
): Recovery {
  const sorted = [...messages].sort((a, b) => Number(getString(a, "ts")) - Number(getString(b, "ts")));
  const at = sorted.findLastIndex((message) => isBefore(partOf(message), partId));
  if (at === -1) return "absent";
  for (const message of sorted.slice(at + 1)) {
    const part = partOf(message);
    // What is said beside the answer, or next: the file was not there before it.
    if (part !== undefined) break;
    const user = getString(message, "user");
    if (user !== undefined && self.userId !== null && user !== self.userId) continue;
    if (getArray(message, "files").some((file) => isNamed(file, name)))
      return { messageId: getString(message, "ts") ?? null, via: COMPLETE };
  }
  return "absent";
}

/** `…/0` comes before `…/1`, of the same answer. */
function isBefore(part: string | undefined, partId: string): boolean {
  const end = partId.lastIndexOf("/") + 1;
  return (
    part?.startsWith(partId.slice(0, end)) === true && Number(part.slice(end)) < Number(partId.slice(end))
  );
}

function isNamed(file: unknown, name: string): boolean {
  return get(file, "name") === name || get(file, "title") === name;
}
