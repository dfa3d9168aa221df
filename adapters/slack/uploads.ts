import { DeliveryError } from "../../src/domain/errors.ts";
import type { Receipt } from "../../src/domain/reply.ts";
import type { Recovery } from "../../src/ports/adapter.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { filePlace } from "../shared/files.ts";
import type { Upload } from "../shared/outgoing.ts";
import { unseen } from "../shared/uploads.ts";
import type { MessageAddress } from "./address.ts";
import type { CallSlack, WebOptions } from "./api.ts";
import { HOSTS } from "./downloads.ts";
import { statusFailure } from "./failure.ts";
import type { SlackSelf } from "./identity.ts";
import { partOf } from "./metadata.ts";

const BEGIN = "files.getUploadURLExternal";
const COMPLETE = "files.completeUploadExternal";
const OPEN = "conversations.open";
const ANSWER_BYTES_MAX = 64 * 1024;

/** What comes together in one message. */
interface Uploading {
  readonly files: readonly Upload[];
  /** Said with it; may be empty. */
  readonly comment: string;
  readonly signal: AbortSignal;
  readonly permit: Permit | undefined;
}

/** In two calls for each file and one for all. Nobody sees anything before the last of them, so that only that one leaves a doubt. */
export async function upload(
  address: Pick<MessageAddress, "channel" | "threadTs">,
  { files, comment, signal, permit }: Uploading,
  options: WebOptions,
  callSlack: CallSlack,
): Promise<Receipt> {
  const begun: { id: string; title: string }[] = [];
  for (const file of files)
    begun.push({ id: await bring(file, signal, options, callSlack), title: file.name });
  await callSlack(
    COMPLETE,
    {
      files: begun,
      channel_id: await channelFor(address.channel, signal, callSlack),
      ...(address.threadTs !== null && { thread_ts: address.threadTs }),
      ...(comment !== "" && { initial_comment: comment }),
    },
    signal,
    permit,
  );
  return { messageId: null, via: COMPLETE };
}

/** Gives the id by which Slack knows it, which is in no channel yet. */
async function bring(
  { name, data, snippet }: Upload,
  signal: AbortSignal,
  options: WebOptions,
  callSlack: CallSlack,
): Promise<string> {
  const kind = snippet === undefined ? {} : { snippet_type: snippet };
  const begun = await unseen(callSlack(BEGIN, { filename: name, length: data.length, ...kind }, signal));
  const fileId = getString(begun, "file_id");
  const place = filePlace(getString(begun, "upload_url") ?? "", HOSTS, options.apiUrl);
  if (fileId === undefined || place === null)
    throw new DeliveryError("rejected", `${BEGIN}: expected an id and an address of Slack's, got others`);
  await unseen(post(place.url, data, options, signal));
  return fileId;
}

/** A message is posted to a person by their id, a file only into the channel with them. */
async function channelFor(channel: string, signal: AbortSignal, callSlack: CallSlack): Promise<string> {
  if (!/^[UW]/.test(channel)) return channel;
  const opened = await unseen(callSlack(OPEN, { users: channel }, signal));
  const id = getString(getObject(opened, "channel"), "id");
  if (id === undefined) throw new DeliveryError("rejected", `${OPEN}: expected a channel, got none`);
  return id;
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

/** `…/0` comes before `…/1`, of the same answer, and all of these before what is sent behind it: `…/file-1/0`. */
function isBefore(part: string | undefined, partId: string): boolean {
  const [, answer, number] = BEHIND.exec(partId) ?? OF_ANSWER.exec(partId) ?? [];
  if (part === undefined || answer === undefined || !part.startsWith(answer)) return false;
  const said = part.slice(answer.length);
  return /^\d+$/.test(said) && (number === undefined || Number(said) < Number(number));
}

const BEHIND = /^(.*\/)file-\d+\/0$/s;
const OF_ANSWER = /^(.*\/)(\d+)$/s;

function isNamed(file: unknown, name: string): boolean {
  return get(file, "name") === name || get(file, "title") === name;
}
