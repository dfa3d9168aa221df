import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { showBackupAge } from "../../src/app/backup-age.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { newFolder } from "../tools/support.ts";

it("tells when the newest archive of everything was made, a minute later at most, and 0 where none is", async () => {
  const folder = join(newFolder(), "backups");
  const clock = new FakeClock();
  const metrics = createMetrics();
  showBackupAge(() => folder, { clock, metrics });
  const newest = async () =>
    /^parley_backup_newest_timestamp_seconds (.*)$/m.exec(await metrics.scrape())?.[1];
  expect(await newest()).toBe("0");
  for (const name of [
    "parley-20261129T020000000Z",
    "parley-20261130T020000500Z",
    // The configuration alone, one that was not finished, and something else.
    "parley-config-20261130T030000000Z",
    ".partial-parley-20261130T040000000Z",
    "notes",
  ])
    mkdirSync(join(folder, name), { recursive: true });
  expect(await newest()).toBe("0");
  clock.advance(60_000);
  expect(await newest()).toBe(String(Date.parse("2026-11-30T02:00:00.500Z") / 1000));
});
