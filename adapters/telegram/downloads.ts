import type { Clock } from "../../src/ports/clock.ts";
import { type FileReader, FileUnreadable } from "../../src/ports/files.ts";
import { getString } from "../../src/shared/json.ts";
import { fetchFile } from "../shared/files.ts";
import type { TelegramClient } from "./api.ts";
import { failureOf } from "./failure.ts";

const HOSTS = {
  origins: new Set(["https://api.telegram.org"]),
  isPlatforms: /(^|\.)telegram\.org$/,
};

/** As the Bot API says where a file is. A server of one's own that keeps files on its disk says another thing. */
const PATH = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w-][\w.-]*(?:\/[\w.-]+)*$/;

/** A message names its files by ids; `getFile` says where each is, for an hour at least. */
export function createFileReader(options: {
  readonly client: TelegramClient;
  readonly apiRoot: string;
  readonly clock: Pick<Clock, "nowMs">;
}): FileReader {
  const { client, apiRoot, clock } = options;

  async function pathOf(fileId: string, signal: AbortSignal, timeoutMs: number): Promise<string> {
    const answer = await client.call("getFile", { file_id: fileId }, signal, { timeoutMs });
    if (answer.kind === "result") {
      const path = getString(answer.value, "file_path") ?? "";
      if (PATH.test(path)) return path;
      throw new FileUnreadable("elsewhere", "it is kept at a place that I do not fetch from");
    }
    if (/too big/i.test(answer.description))
      throw new FileUnreadable("too_large", "it is larger than Telegram gives to bots (20 MB)");
    const failure = failureOf("getFile", answer);
    throw failure.kind === "rejected" ? new FileUnreadable("gone", "it is not there any more") : failure;
  }

  return {
    async open({ file, signal, timeoutMs }) {
      const path = await pathOf(file.id, signal, timeoutMs);
      return await fetchFile(client.fileAddress(path), file, {
        ...{
          hosts: HOSTS,
          apiUrl: apiRoot,
          what: "file of Telegram",
          signal,
          timeoutMs,
          nowMs: clock.nowMs(),
        },
      });
    },
  };
}
