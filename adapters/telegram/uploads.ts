import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { OutgoingFiles } from "../../src/ports/adapter.ts";
import type { Permit } from "../../src/shared/call.ts";
import { isRejected } from "../../src/shared/fault.ts";
import { filesPart, type Upload, uploadsOf } from "../shared/outgoing.ts";
import type { TelegramClient } from "./api.ts";
import { sendDocument, sendPhoto } from "./document.ts";

const MIB = 1024 * 1024;
const PHOTO_BYTES_MAX = 10 * MIB;
/** Others, and those that move, are documents. */
const PHOTOS = /^image\/(?:png|jpeg|webp)$/;

/** One file a message, as bots may send them. */
export const OUTGOING: OutgoingFiles = {
  bytesMax: 50 * MIB,
  filesMax: 1,
  messageBytesMax: 50 * MIB,
  render: filesPart,
};

/** Sends the file that a part names, so that a picture is seen. Throws DeliveryError. */
export async function sendFiles(
  delivery: Delivery,
  client: TelegramClient,
  signal: AbortSignal,
  permit?: Permit,
): Promise<Receipt> {
  let receipt: Receipt = { messageId: null, via: "nothing" };
  for (const file of await uploadsOf(delivery)) {
    receipt = isPhoto(file)
      ? await sendPhoto(delivery, file, client, signal, permit).catch(async (error: unknown) => {
          // One that is too wide, or that Telegram cannot read, is a file all the same.
          if (!isRejected(error)) throw error;
          return await sendDocument(delivery, file, client, signal, permit);
        })
      : await sendDocument(delivery, file, client, signal, permit);
  }
  return receipt;
}

function isPhoto({ mime, data }: Upload): boolean {
  return PHOTOS.test(mime) && data.length <= PHOTO_BYTES_MAX;
}
