import type { Clock } from "../../src/ports/clock.ts";
import type { FileReader } from "../../src/ports/files.ts";
import { fetchFile } from "../shared/files.ts";

const HOSTS = {
  origins: new Set(["https://cdn.discordapp.com", "https://media.discordapp.net"]),
  isPlatforms: /(^|\.)discord(app)?\.(com|net)$/,
};

/** An address of a file is signed and expires, so it is fetched as it is, with no token. */
export function createFileReader(options: {
  readonly apiUrl: string;
  readonly clock: Pick<Clock, "nowMs">;
}): FileReader {
  return {
    async open({ file, signal, timeoutMs }) {
      if (file.source === undefined) return null;
      return await fetchFile(file.source, file, {
        hosts: HOSTS,
        apiUrl: options.apiUrl,
        what: "file of Discord",
        signal,
        timeoutMs,
        nowMs: options.clock.nowMs(),
      });
    },
  };
}
