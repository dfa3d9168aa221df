import { join, resolve } from "node:path";
import process from "node:process";
import type { Config } from "../config/load.ts";
import { GatewayError } from "../domain/errors.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import { type Media, MediaRefused } from "../ports/media.ts";
import { messageOf } from "../shared/fault.ts";
import { openMediaFolder } from "../store/media/folder.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { OpenedStore } from "./store.ts";

export interface MediaContext {
  readonly config: Config;
  /** Of a store that replicas share. */
  readonly mediaWithin: OpenedStore["mediaWithin"];
  readonly clock: Clock;
}

export interface OpenedMedia {
  readonly media: Media;
  readonly totalBytes: number;
  /** Of one file, where that is less than what gateway.yaml lets through. */
  readonly fileBytes: number;
}

const MIB = 1024 * 1024;
/** From here on there is soon no room for a file. */
const FULL_SHARE = 0.95;

/** A folder; or Redis, where replicas have none in common. Throws MEDIA_OPEN_FAILED. */
export async function openMedia({ config, mediaWithin, clock }: MediaContext): Promise<OpenedMedia> {
  const { dir, total_bytes: totalBytes, redis } = config.gateway.media;
  if (mediaWithin !== null && dir === undefined) {
    const limits = { fileBytes: redis.file_bytes, totalBytes: redis.total_bytes };
    return { media: mediaWithin(limits), ...limits };
  }
  const folder = mediaFolderOf(config);
  try {
    // Nobody else opens the data folder of a SQLite file.
    const isOwn = mediaWithin === null && dir === undefined;
    const media = await openMediaFolder({ folder, bytesMax: totalBytes, isOwn, clock });
    return { media, totalBytes, fileBytes: Infinity };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new GatewayError(
      "MEDIA_OPEN_FAILED",
      `Expected a folder for files that can be written at ${folder}, got ${code ?? messageOf(error)}`,
    );
  }
}

/** `media.dir` is relative to where the process was started, as the data folder is. */
export function mediaFolderOf(
  { gateway, environment }: Pick<Config, "gateway" | "environment">,
  cwd = process.cwd(),
): string {
  return resolve(cwd, gateway.media.dir ?? join(environment.dataDir, "media"));
}

export interface MediaKeeping {
  /** Deletes what is past its time, and counts what is left. */
  sweep(keptMs: number): Promise<void>;
  /** For /ready. */
  readonly report: () => ComponentReport;
}

export function mediaKeeping(
  { media, totalBytes: bytesMax }: OpenedMedia,
  { log, metrics }: { log: Logger; metrics: Metrics },
): MediaKeeping {
  let left = { files: 0, bytes: 0 };
  let fault: string | null = null;
  return {
    async sweep(keptMs) {
      try {
        const files = await media.sweep(keptMs);
        if (files > 0) log.info({ files }, "media.swept");
        left = await media.usage();
        metrics.mediaBytes.set(left.bytes);
        fault = null;
      } catch (error) {
        // All else that is swept goes on.
        if (!(error instanceof MediaRefused)) throw error;
        if (fault === null) log.warn({ cause: error.message }, "media.unusable");
        fault = error.message;
      }
    },
    report() {
      if (fault !== null)
        return { status: "degraded", code: "MEDIA_FAILED", details: `${media.place}: ${fault}` };
      const details = `${media.place}; ${left.files} files, ${Math.ceil(left.bytes / MIB)} of ${Math.floor(bytesMax / MIB)} MiB`;
      return left.bytes < bytesMax * FULL_SHARE
        ? { status: "ok", details }
        : { status: "degraded", code: "MEDIA_FULL", details };
    },
  };
}
