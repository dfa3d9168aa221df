import { type FileReader, FileUnreadable } from "../../src/ports/files.ts";
import { isRejected } from "../../src/shared/fault.ts";
import { getObject } from "../../src/shared/json.ts";
import { fetchFile } from "../shared/files.ts";
import type { CallSlack, WebOptions } from "./api.ts";
import { addressOf } from "./files.ts";
import { tokenNow } from "./token.ts";

/** Where files are, both ways. */
export const HOSTS = {
  origins: new Set(["https://files.slack.com", "https://files.slack-gov.com"]),
  isPlatforms: /(^|\.)slack(-gov)?\.com$/,
};

/** Files are private: each is fetched with the token of the bot, and only from Slack. */
export function createFileReader(options: WebOptions, call: CallSlack): FileReader {
  const { botToken, apiUrl, clock } = options;
  return {
    async open({ file, signal, timeoutMs }) {
      // In a channel that is shared with another company, an event names the file and no more.
      const source = file.source ?? (await askedFor(file.id, call, signal));
      if (source === null || botToken === null) return null;
      const token = await tokenNow(botToken, "file of Slack");
      return await fetchFile(source, file, {
        hosts: HOSTS,
        apiUrl,
        what: "file of Slack",
        headers: { authorization: `Bearer ${token.reveal()}` },
        signal,
        timeoutMs,
        nowMs: clock.nowMs(),
      });
    },
  };
}

async function askedFor(id: string, call: CallSlack, signal: AbortSignal): Promise<string | null> {
  const answer = await call("files.info", { file: id }, signal).catch((error: unknown) => {
    throw isRejected(error) ? new FileUnreadable("refused", "I may not read it") : error;
  });
  return addressOf(getObject(answer, "file")) ?? null;
}
