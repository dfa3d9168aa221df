import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

/** Copies a file, flushed and private, and gives what was written. `bytesMax`: no more than its first bytes. */
export async function copyFile(
  from: string,
  to: string,
  bytesMax = Infinity,
): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const target = await open(to, "wx", 0o600);
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    let flushed = 0;
    const end = Number.isFinite(bytesMax) ? { end: Math.max(0, bytesMax - 1) } : {};
    if (bytesMax > 0)
      for await (const chunk of createReadStream(from, { highWaterMark: COPIED_BYTES, ...end })) {
        hash.update(chunk as Buffer);
        await writeAll(target, chunk as Buffer);
        bytes += (chunk as Buffer).length;
        if (bytes - flushed < FLUSHED_BYTES) continue;
        await target.sync();
        flushed = bytes;
      }
    await target.sync();
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    await target.close();
  }
}

/** At a time: so that a disk which a gateway works on is asked for little at once. */
const COPIED_BYTES = 256 * 1024;
/** One flush of a gigabyte at the end would hold up those of the gateway for as long as that takes. */
const FLUSHED_BYTES = 8 * 1024 * 1024;

async function writeAll(target: Awaited<ReturnType<typeof open>>, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await target.write(chunk, at)).bytesWritten;
}

/** A rename, or a new file, is on the disk once its folder is. Not every system flushes folders, and those need not. */
export async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  try {
    await folder?.sync().catch(() => {});
  } finally {
    await folder?.close();
  }
}
