import { join, resolve } from "node:path";
import type { Config } from "../config/load.ts";
import { GatewayError } from "../domain/errors.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Media } from "../ports/media.ts";
import { messageOf } from "../shared/fault.ts";
import { openMediaFolder } from "../store/media/folder.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface MediaContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

const MIB = 1024 * 1024;
/** From here on there is soon no room for a file. */
const FULL_SHARE = 0.95;

/** Throws MEDIA_OPEN_FAILED. */
export async function openMedia({ config, clock, metrics }: MediaContext): Promise<Media> {
  const { gateway, environment } = config;
  const folder = mediaFolderOf(config);
  try {
    const media = await openMediaFolder({
      folder,
      bytesMax: gateway.media.total_bytes,
      // Nobody else opens the data folder of a SQLite file.
      isOwn: environment.redisUrl === null && gateway.media.dir === undefined,
      clock,
    });
    metrics.mediaBytes.set((await media.usage()).bytes);
    return media;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new GatewayError(
      "MEDIA_OPEN_FAILED",
      `Expected a folder for files that can be written at ${folder}, got ${code ?? messageOf(error)}`,
    );
  }
}

export function mediaFolderOf({ gateway, environment }: Pick<Config, "gateway" | "environment">): string {
  return resolve(gateway.media.dir ?? join(environment.dataDir, "media"));
}

export interface MediaKeeping {
  /** Deletes what is past its time, and counts what is left. */
  sweep(keptMs: number): Promise<void>;
  /** For /ready. */
  readonly report: () => ComponentReport;
}

export function mediaKeeping(
  media: Media,
  bytesMax: number,
  { log, metrics }: { log: Logger; metrics: Metrics },
): MediaKeeping {
  let left = { files: 0, bytes: 0 };
  return {
    async sweep(keptMs) {
      const files = await media.sweep(keptMs);
      if (files > 0) log.info({ files }, "media.swept");
      left = await media.usage();
      metrics.mediaBytes.set(left.bytes);
    },
    report() {
      const details = `${media.place}; ${left.files} files, ${Math.ceil(left.bytes / MIB)} of ${Math.floor(bytesMax / MIB)} MiB`;
      return left.bytes < bytesMax * FULL_SHARE
        ? { status: "ok", details }
        : { status: "degraded", code: "MEDIA_FULL", details };
    },
  };
}
