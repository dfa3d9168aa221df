import { describe, expect, it } from "vitest";
import { Lines } from "../../src/telemetry/lines.ts";

function open(options: { bytesMin: number; bytesMax: number }) {
  const passed: string[] = [];
  const flushed: string[] = [];
  const lines = new Lines(
    {
      write: (bytes) => passed.push(String(bytes)),
      flush(done) {
        flushed.push("flush");
        done();
      },
      flushSync: () => flushed.push("sync"),
    },
    options,
  );
  return { lines, passed, flushed };
}

describe("gathered lines", () => {
  it("are passed on together once there are enough bytes of them", () => {
    const { lines, passed } = open({ bytesMin: 6, bytesMax: 100 });
    for (const line of ["é\n", "b\n", "c\n", "d\n"]) lines.write(line);
    expect(passed).toEqual(["é\nb\nc\n"]);
    lines.pass();
    lines.pass();
    expect(passed).toEqual(["é\nb\nc\n", "d\n"]);
  });

  it("are passed on before one that would make too much of them, and that one alone if it is long", () => {
    const { lines, passed } = open({ bytesMin: 7, bytesMax: 8 });
    for (const line of ["aaaa\n", "éé\n", "0123456789\n", "b\n"]) lines.write(line);
    expect(passed).toEqual(["aaaa\n", "éé\n", "0123456789\n"]);
  });

  it("are all passed on before they are flushed", () => {
    const { lines, passed, flushed } = open({ bytesMin: 100, bytesMax: 100 });
    lines.write("a\n");
    let isDone = false;
    lines.flush(() => {
      isDone = true;
    });
    expect([passed, isDone]).toEqual([["a\n"], true]);
    lines.write("b\n");
    lines.flushSync();
    lines.flush();
    expect([passed, flushed]).toEqual([
      ["a\n", "b\n"],
      ["flush", "sync", "flush"],
    ]);
  });
});
