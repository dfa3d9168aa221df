import { spawn } from "node:child_process";
import { once } from "node:events";
import fs, { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Lines } from "../../src/telemetry/lines.ts";

const LINES = new URL("../../src/telemetry/lines.ts", import.meta.url).href;

function open(options: { bytesMin: number; bytesMax: number }) {
  const file = join(mkdtempSync(join(tmpdir(), "parley-lines-")), "log");
  const fd = openSync(file, "w");
  onTestFinished(() => closeSync(fd));
  const dropped: number[] = [];
  const lines = new Lines({ fd, ...options, onDropped: (count) => dropped.push(count) });
  return {
    lines,
    dropped,
    written: () => readFileSync(file, "utf8"),
    flushed: () => new Promise<void>((done) => lines.flush(done)),
  };
}

describe("gathered lines", () => {
  it("are written once there are enough bytes of them, and before that when asked to", async () => {
    const { lines, written, flushed } = open({ bytesMin: 6, bytesMax: 100 });
    for (const line of ["é\n", "b\n"]) lines.write(line);
    expect(written()).toBe("");
    lines.write("c\n");
    expect(written()).toBe("é\nb\nc\n");
    lines.write("d\n");
    await flushed();
    expect(written()).toBe("é\nb\nc\nd\n");
  });

  it("are written in pieces that end with a line, and one alone that is longer", async () => {
    const { lines, flushed } = open({ bytesMin: 7, bytesMax: 8 });
    const write = vi.spyOn(fs, "writeSync");
    onTestFinished(() => write.mockRestore());
    for (const line of ["aaaa\n", "éé\n", "0123456789\n", "b\n"]) lines.write(line);
    await flushed();
    const pieces = write.mock.calls.map(([, piece]) => String(piece));
    expect(pieces).toEqual(["aaaa\n", "éé\n", "0123456789\n", "b\n"]);
  });

  it("wait for a reader that has fallen behind, in order", async () => {
    const { lines, written, flushed } = open({ bytesMin: 1, bytesMax: 100 });
    const write = failOnce("EAGAIN");
    lines.write("a\n");
    lines.write("b\n");
    expect([written(), write.mock.calls.length]).toEqual(["", 1]);
    await flushed();
    expect(written()).toBe("a\nb\n");
  });

  it("are all written at the exit, also those that wait for the next try", () => {
    const { lines, written } = open({ bytesMin: 1, bytesMax: 100 });
    failOnce("EAGAIN");
    lines.write("a\n");
    lines.write("b\n");
    lines.writeRest();
    expect(written()).toBe("a\nb\n");
  });

  it("are given up when they cannot be written, and counted, and the next ones written", () => {
    const { lines, dropped, written } = open({ bytesMin: 1, bytesMax: 100 });
    failOnce("ENOSPC");
    lines.write("lost\n");
    lines.write("kept\n");
    expect([written(), dropped]).toEqual(["kept\n", [1]]);
  });
});

function failOnce(code: string) {
  const write = vi.spyOn(fs, "writeSync").mockImplementationOnce(() => {
    throw Object.assign(new Error("Cannot be written"), { code });
  });
  onTestFinished(() => write.mockRestore());
  return write;
}

/** A process that logs to a pipe; `body` sees `lines`, `fs` and `fill()`, which fills the pipe. */
function processWith(body: string) {
  const script = `
    import fs from "node:fs";
    import { Lines } from ${JSON.stringify(LINES)};
    const lines = new Lines({
      fd: 1,
      bytesMin: 100,
      bytesMax: 1_000,
      onDropped: (count) => lines.write("dropped " + count + "\\n"),
    });
    process.stdout.isTTY; // Which makes the pipe one that does not wait.
    const fill = () => {
      try {
        for (;;) fs.writeSync(1, "#".repeat(1_000));
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
      }
      for (;;) {
        try {
          fs.writeSync(1, "#");
        } catch {
          return;
        }
      }
    };
    process.once("exit", () => lines.writeRest());
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { child, ended: once(child, "exit") };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => `${n}\n`).join("");

describe("a pipe that is full", () => {
  it("gets the last lines of a process that exits at once, as soon as somebody reads", async () => {
    const { child, ended } = processWith(`
      fill();
      for (let n = 0; n < 9; n++) lines.write(n + "\\n");
      fs.writeSync(2, "exits");
      process.exit(0);`);
    await once(child.stderr, "data");
    const output = await text(child.stdout);
    await ended;
    expect(output.replace(/^#+/, "")).toBe(numbers(9));
  });

  it("gets all lines in order, as soon as somebody reads", async () => {
    const { child, ended } = processWith(`
      fill();
      for (let n = 0; n < 1_000; n++) lines.write(n + "\\n");
      fs.writeSync(2, "written");
      lines.flush(() => process.exit(0));`);
    await once(child.stderr, "data");
    const output = await text(child.stdout);
    await ended;
    expect(output.replace(/^#+/, "")).toBe(numbers(1_000));
  });

  it("makes nobody remember without bound: what is too much is dropped and counted", async () => {
    const { child, ended } = processWith(`
      fill();
      const line = "x".repeat(99_999) + "\\n";
      for (let n = 0; n < 500; n++) lines.write(line);
      const { heapUsed, external } = process.memoryUsage();
      fs.writeSync(2, String(heapUsed + external < 45e6));
      setInterval(() => {}, 1_000);
      lines.flush(() => {
        lines.write("after\\n");
        lines.flush(() => process.exit(0));
      });`);
    const [isBounded] = (await once(child.stderr, "data")) as [Buffer];
    const output = (await text(child.stdout)).replace(/^#+/, "").trim().split("\n");
    await ended;
    expect(String(isBounded)).toBe("true");
    const kept = output.filter((line) => line.startsWith("x")).length;
    expect(output.slice(kept)).toEqual([`dropped ${500 - kept}`, "after"]);
  });
});

describe("a reader that has gone", () => {
  it.each([
    ["at once", "process.exit(7);"],
    ["after a flush", "lines.flush(() => { lines.write('y'); lines.flush(() => process.exit(7)); });"],
  ])("keeps no process from ending %s", async (_, end) => {
    const { child, ended } = processWith(`
      process.on("SIGUSR2", () => {
        for (let n = 0; n < 100; n++) lines.write("line " + n + "\\n");
        ${end}
      });
      setInterval(() => {}, 1_000);
      fs.writeSync(2, "waits");`);
    await once(child.stderr, "data");
    child.stdout.destroy();
    await once(child.stdout, "close");
    child.kill("SIGUSR2");
    expect((await ended)[0]).toBe(7);
  });
});
