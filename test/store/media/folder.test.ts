import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openMediaFolder } from "../../../src/store/media/folder.ts";
import { bytesOf, mediaContract, streamOf } from "../../contract/media.ts";
import { FakeClock } from "../../support/clock.ts";

async function place(isOwn: boolean) {
  const folder = await mkdtemp(join(tmpdir(), "parley-media-"));
  const clock = new FakeClock();
  return {
    clock,
    folder,
    open: (bytesMax = 1e9) => openMediaFolder({ folder, bytesMax, isOwn, clock }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

mediaContract("a folder of its own", () => place(true));
mediaContract("a folder that replicas share", () => place(false));

const KEY = { conversation: "c", id: "f" };

describe("a folder of files", () => {
  it("is for its owner alone, and names nothing that came from outside", async () => {
    await using at = await place(true);
    const media = await at.open();
    await media.put({ conversation: "slack:T1:C1", id: "secret.txt" }, streamOf("x"), 9);
    const paths = readdirSync(at.folder, { recursive: true }) as string[];
    expect(paths.join(" ")).not.toMatch(/T1|secret|txt/);
    const modes = paths.map((path) => statSync(join(at.folder, path)).mode & 0o777);
    expect(new Set(modes)).toEqual(new Set([0o700, 0o600]));
  });

  it("has nothing left of a process that was killed while it wrote, once it is opened again", async () => {
    await using at = await place(true);
    const script = `
      import { openMediaFolder } from ${JSON.stringify(join(import.meta.dirname, "../../../src/store/media/folder.ts"))};
      const media = await openMediaFolder({ folder: process.argv[1], bytesMax: 1e9, isOwn: true, clock: { nowMs: Date.now } });
      await media.put({ conversation: "c", id: "whole" }, [Buffer.from("whole")], 1e9);
      async function* endless() {
        yield Buffer.alloc(100_000);
        process.stdout.write("half written");
        await new Promise(() => setInterval(() => {}, 1_000));
      }
      await media.put({ conversation: "c", id: "f" }, endless(), 1e9);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script, at.folder]);
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(readdirSync(join(at.folder, ".incoming"))).toHaveLength(1);
    const media = await at.open();
    expect(readdirSync(join(at.folder, ".incoming"))).toEqual([]);
    expect(await media.find(KEY)).toBe(null);
    expect(await bytesOf(await media.find({ ...KEY, id: "whole" }))).toBe("whole");
  });

  it("leaves alone what another replica writes at this moment, and sweeps what was given up", async () => {
    await using at = await place(false);
    const media = await at.open();
    const incoming = join(at.folder, ".incoming");
    const now = at.clock.nowMs() / 1000;
    for (const [name, ageSeconds] of [
      ["young", 599],
      ["old", 601],
    ] as const) {
      writeFileSync(join(incoming, name), "half");
      utimesSync(join(incoming, name), now - ageSeconds, now - ageSeconds);
    }
    await at.open();
    expect(readdirSync(incoming).sort()).toEqual(["old", "young"]);
    await media.sweep(1e9);
    expect(readdirSync(incoming)).toEqual(["young"]);
  });

  it("counts what other replicas have written when it sweeps", async () => {
    await using at = await place(false);
    const [one, other] = [await at.open(10), await at.open(10)];
    await one.put(KEY, streamOf("1234567"), 100);
    await other.sweep(1e9);
    const full = other.put({ ...KEY, id: "g" }, streamOf("1234"), 100);
    await expect(full).rejects.toMatchObject({ why: "full" });
  });

  it("begins anew where somebody has deleted it, for what it held was copied from elsewhere", async () => {
    await using at = await place(true);
    const media = await at.open();
    await media.put({ ...KEY, id: "before" }, streamOf("x"), 9);
    await rm(at.folder, { recursive: true });
    expect(await media.sweep(1e9)).toBe(0);
    await rm(at.folder, { recursive: true });
    expect(await media.put(KEY, streamOf("12"), 9)).toBe(2);
    expect(await bytesOf(await media.find(KEY))).toBe("12");
  });

  it("says that the disk does not take or give a file, and not that the file is at fault", async () => {
    await using at = await place(true);
    const media = await at.open();
    await media.put(KEY, streamOf("there"), 9);
    const kept = await media.find(KEY);
    await rm(at.folder, { recursive: true });
    writeFileSync(at.folder, "somebody's file");
    const refusal = {
      name: "MediaRefused",
      why: "failed",
      message: "The folder of the files cannot be used: ENOTDIR",
    };
    await expect(media.put({ ...KEY, id: "g" }, streamOf("x"), 9)).rejects.toMatchObject(refusal);
    await expect(media.sweep(1e9)).rejects.toMatchObject({ name: "MediaRefused", why: "failed" });
    await expect(bytesOf(kept)).rejects.toMatchObject(refusal);
  });

  it("leaves no empty folders behind", async () => {
    await using at = await place(true);
    const media = await at.open();
    await media.put(KEY, streamOf("x"), 9);
    at.clock.advance(2);
    await media.sweep(1);
    expect(readdirSync(at.folder)).toEqual([".incoming"]);
  });
});
