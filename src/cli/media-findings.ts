import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { mediaFolderOf } from "../app/media.ts";
import type { Config } from "../config/load.ts";
import { dataFinding, type Finding, ok, warn } from "./findings.ts";

const MIB = 1024 * 1024;

/** Where files of messages will be kept, and whether there is room for them. */
export function mediaFinding(config: Config, cwd: string): Finding {
  const { dir, total_bytes: totalBytes, redis } = config.gateway.media;
  if (config.environment.redisUrl !== null && dir === undefined)
    return ok("media", `files of messages are kept in Redis, up to ${inMib(redis.file_bytes)} MiB each`);
  const folder = mediaFolderOf(config, cwd);
  const writable = dataFinding(folder, cwd);
  if (writable.status === "fail")
    return {
      ...writable,
      check: "media",
      fix: dir === undefined ? writable.fix : "set media.dir, or the owner of the folder",
    };
  const freeBytes = freeAt(folder);
  const room = `${inMib(freeBytes)} MiB free, files of messages may take ${inMib(totalBytes)}`;
  return freeBytes < totalBytes
    ? warn("media", room, "make room, or lower media.total_bytes")
    : ok("media", `${writable.message}; ${room}`);
}

/** Of the disk that it is on, or will be. */
function freeAt(folder: string): number {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const { bavail, bsize } = statfsSync(at);
      return bavail * bsize;
    } catch {
      if (at === dirname(at)) return 0;
    }
  }
}

function inMib(bytes: number): number {
  return Math.floor((bytes / MIB) * 10) / 10;
}
