import type { Clock } from "../../src/ports/clock.ts";
import { type FileReader, FileUnreadable } from "../../src/ports/files.ts";
import { isRejected } from "../../src/shared/fault.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { fetchFile } from "../shared/files.ts";
import type { WhatsAppClient } from "./api.ts";

const HOSTS = {
  origins: new Set(["https://lookaside.fbsbx.com"]),
  isPlatforms: /(^|\.)facebook\.com$/,
};

/** A message names its file by an id, good for a week; Meta says where it is, for five minutes, and wants the token there too. */
export function createFileReader(options: {
  readonly client: WhatsAppClient;
  readonly accessToken: Secret;
  readonly phoneNumberId: string;
  readonly apiUrl: string;
  readonly clock: Pick<Clock, "nowMs">;
}): FileReader {
  const { client, accessToken, phoneNumberId, apiUrl, clock } = options;
  return {
    async open({ file, signal, timeoutMs }) {
      // It becomes a part of an address.
      if (!/^[\w-]{1,200}$/.test(file.id)) return null;
      const address = await client
        .readMedia(file.id, phoneNumberId, signal, timeoutMs)
        .catch((error: unknown) => {
          throw isRejected(error) ? new FileUnreadable("gone", "it is not there any more") : error;
        });
      if (address === null) return null;
      return await fetchFile(address, file, {
        ...{ hosts: HOSTS, apiUrl, what: "file of WhatsApp", signal, timeoutMs, nowMs: clock.nowMs() },
        headers: { authorization: `Bearer ${accessToken.reveal()}` },
      });
    },
  };
}
