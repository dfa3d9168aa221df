import type { Clock } from "../../src/ports/clock.ts";
import { type FileReader, FileUnreadable } from "../../src/ports/files.ts";
import { getArray, getString } from "../../src/shared/json.ts";
import { fetchFile } from "../shared/files.ts";
import type { DiscordRest } from "./api.ts";

const HOSTS = {
  origins: new Set(["https://cdn.discordapp.com", "https://media.discordapp.net"]),
  isPlatforms: /(^|\.)discord(app)?\.(com|net)$/,
};

/**
 * An address of a file is signed and expires, so it is fetched as it is, with no token. Of one that has expired while its
 * message waited the bot asks for another, where there is one.
 */
export function createFileReader(options: {
  readonly apiUrl: string;
  readonly clock: Pick<Clock, "nowMs">;
  readonly rest: Pick<DiscordRest, "ask">;
}): FileReader {
  const { apiUrl, clock, rest } = options;
  return {
    async open({ file, signal, timeoutMs }) {
      const { source } = file;
      if (source === undefined) return null;
      const fetched = (address: string) =>
        fetchFile(address, file, {
          ...{ hosts: HOSTS, apiUrl, what: "file of Discord", signal, timeoutMs, nowMs: clock.nowMs() },
        });
      return await fetched(source).catch(async (error: unknown) => {
        if (!(error instanceof FileUnreadable) || !isExpired(source, clock.nowMs())) throw error;
        const refreshed = await refresh(rest, source, signal).catch(() => null);
        if (refreshed === null) throw error;
        return await fetched(refreshed);
      });
    },
  };
}

/** By the seconds that `ex` says, in hexadecimal digits. */
function isExpired(source: string, nowMs: number): boolean {
  const until = URL.parse(source)?.searchParams.get("ex") ?? "";
  return /^[0-9a-f]{1,12}$/i.test(until) && Number.parseInt(until, 16) * 1_000 <= nowMs;
}

async function refresh(
  rest: Pick<DiscordRest, "ask">,
  source: string,
  signal: AbortSignal,
): Promise<string | null> {
  const answer = await rest.ask(
    {
      ...{ method: "POST", route: "/attachments/refresh-urls", body: { attachment_urls: [source] } },
      ...{ as: "bot", what: "new address of a file", repeatable: true },
    },
    signal,
  );
  return getString(getArray(answer, "refreshed_urls")[0], "refreshed") ?? null;
}
