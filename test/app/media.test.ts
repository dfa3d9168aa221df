import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { mediaKeeping } from "../../src/app/media.ts";
import { openMediaFolder } from "../../src/store/media/folder.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { mayMount, smallDisk } from "../support/disk.ts";

it("a folder that takes no files is told by /ready, keeps nobody else from sweeping, and is well again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "parley-media-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const media = await openMediaFolder({ folder, bytesMax: 100, isOwn: true, clock: new FakeClock() });
  const opened = { media, totalBytes: 100, fileBytes: Infinity };
  const keeping = mediaKeeping(opened, { log: silentLogger(), metrics: createMetrics() });
  await rm(folder, { recursive: true });
  await writeFile(folder, "somebody's file");
  await keeping.sweep(1_000);
  expect(keeping.report()).toMatchObject({
    status: "degraded",
    code: "MEDIA_FAILED",
    details: expect.stringMatching(
      /^the folder .*: The folder of the files cannot be used: E(?:NOTDIR|EXIST)$/,
    ),
  });
  await rm(folder);
  await keeping.sweep(1_000);
  expect(keeping.report()).toMatchObject({ status: "ok" });
});

it.runIf(mayMount())("a disk of its own that is full is told before a message brings a file", async () => {
  using disk = smallDisk();
  const options = { folder: join(disk.folder, "media"), bytesMax: 100, isOwn: true, clock: new FakeClock() };
  const opened = { media: await openMediaFolder(options), totalBytes: 100, fileBytes: Infinity };
  const keeping = mediaKeeping(opened, { log: silentLogger(), metrics: createMetrics() });
  disk.fill(process.pid);
  await keeping.sweep(1_000);
  expect(keeping.report()).toMatchObject({
    code: "MEDIA_FAILED",
    details: expect.stringContaining("The disk of the files is full"),
  });
  disk.free(process.pid);
  await keeping.sweep(1_000);
  expect(keeping.report()).toMatchObject({ status: "ok" });
});
