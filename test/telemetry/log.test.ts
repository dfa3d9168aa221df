import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { type LogOptions, silentLogger } from "../../src/telemetry/log.ts";

const SOURCE = new URL("../../src/", import.meta.url);

/** What a process with this body writes to its stdout. */
async function outputOf(options: LogOptions, body: string): Promise<string> {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL("telemetry/log.ts", SOURCE).href)};
    import { Secret } from ${JSON.stringify(new URL("shared/secret.ts", SOURCE).href)};
    const log = await createLogger(${JSON.stringify(options)});
    const secret = new Secret("hunter2");
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  expect(err).toBe("");
  return out;
}

const lines = (output: string) =>
  output
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line));

describe("the log", () => {
  it("is one line of JSON for each unit of work, with level and time by name", async () => {
    const output = await outputOf(
      { level: "info", pretty: false },
      `log.debug("too fine"); log.info({ event_id: "slack:1", cause: undefined }, "run.finished"); log.warn("last");`,
    );
    const [first, second, ...others] = lines(output);
    expect(first).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      event_id: "slack:1",
      msg: "run.finished",
    });
    expect(second).toMatchObject({ level: "warn", msg: "last" });
    expect(others).toEqual([]);
  });

  it("takes more of one platform and less of one part, from the start and when it is set", async () => {
    const output = await outputOf(
      { level: "info", levels: { slack: "debug" }, pretty: false },
      `const { setLevels } = await import(${JSON.stringify(new URL("telemetry/log.ts", SOURCE).href)});
       const say = (word) => {
         log.debug({ platform: "slack", word }, "event.deferred"); log.debug({ platform: "telegram", word }, "event.deferred");
         log.child({ run_id: "r" }).info({ word }, "run.finished");
       };
       say("first"); setLevels(log, "info", { run: "error", telegram: "trace" }); say("second");`,
    );
    expect(lines(output).map(({ word, platform, run_id }) => [word, platform ?? run_id])).toEqual([
      ["first", "slack"],
      ["first", "r"],
      ["second", "telegram"],
    ]);
  });

  it("takes nothing of one line into the next where some are written in a span", async () => {
    const output = await outputOf(
      { level: "info", pretty: false },
      `const traced = await createLogger({ level: "info", pretty: false, trace: () => null });
       traced.info({ event_id: "slack:1" }, "run.finished"); traced.info("gateway.stopped");`,
    );
    expect(lines(output)[1]).toEqual({
      level: "info",
      time: expect.any(String),
      msg: "gateway.stopped",
    });
  });

  it("of one among several processes says which, in writes that a pipe takes whole", async () => {
    const output = await outputOf(
      { level: "info", pretty: false, process: 3 },
      `const { default: fs } = await import("node:fs");
       const writes = [];
       const { writeSync } = fs;
       fs.writeSync = (fd, bytes) => {
         if (fd === 1) writes.push(Buffer.from(bytes));
         return writeSync(fd, bytes);
       };
       for (let n = 0; n < 100; n++) log.info({ n, filler: "\\u00e9".repeat(150) }, "filled");
       await new Promise((resolve) => log.flush(resolve));
       const isWhole = (bytes) => bytes.length <= 4096 && bytes.at(-1) === 10;
       if (writes.length < 8 || !writes.every(isWhole)) throw new Error(JSON.stringify(writes));`,
    );
    expect(lines(output).map(({ process, n }) => [process, n])).toEqual(
      Array.from({ length: 100 }, (_, n) => [3, n]),
    );
  });

  it.each([false, true])("never shows a secret, wherever it is in a line (readable: %s)", async (pretty) => {
    const output = await outputOf(
      { level: "info", pretty },
      `log.info({ token: secret, deep: { list: [secret] } }, "a");
       log.info("said %s and %o", secret, { secret });
       log.info(\`written out: \${secret}\`);
       log.child({ token: secret }).info("b");
       log.error({ err: Object.assign(new Error("c"), { token: secret }) }, "failed");`,
    );
    expect(output).not.toContain("hunter2");
    expect(output.match(/\*\*\*/g)).toHaveLength(7);
  });

  it("is written to the end when the process exits at once", async () => {
    const output = await outputOf(
      { level: "info", pretty: false },
      `for (let n = 0; n < 300; n++) log.info({ n }, "line"); process.exit(0);`,
    );
    expect(lines(output).at(-1)).toMatchObject({ n: 299 });
  });

  it.each([false, true])("keeps its order to the end (readable: %s)", async (pretty) => {
    const output = await outputOf(
      { level: "info", pretty },
      `const { default: fs } = await import("node:fs");
       const { written } = await import(${JSON.stringify(new URL("telemetry/log.ts", SOURCE).href)});
       const { writeSync } = fs;
       fs.writeSync = () => {
         fs.writeSync = writeSync;
         throw Object.assign(new Error("busy"), { code: "EAGAIN" });
       };
       log.info("under way");
       log.flush();
       log.info("last");
       await written(log);
       process.exit(0);`,
    );
    expect(output).toMatch(/under way[\s\S]*last/);
  });

  it("keeps its order when a fatal line comes while nobody reads", async () => {
    const output = await outputOf(
      { level: "info", pretty: false },
      `const { default: fs } = await import("node:fs");
       const { written } = await import(${JSON.stringify(new URL("telemetry/log.ts", SOURCE).href)});
       const { writeSync } = fs;
       let tries = 0;
       fs.writeSync = (fd, bytes) => {
         if (tries++ % 2 === 1) throw Object.assign(new Error("busy"), { code: "EAGAIN" });
         return writeSync(fd, bytes.subarray(0, 5_000));
       };
       for (let n = 0; n < 400; n++) log.info({ n }, "line");
       log.fatal({ n: 400 }, "fatal");
       await written(log);
       process.exit(0);`,
    );
    expect(lines(output).map(({ n }) => n)).toEqual(Array.from({ length: 401 }, (_, n) => n));
  });

  it("is what pino would write, whatever a field holds", async () => {
    const output = await outputOf(
      { level: "info", pretty: false, process: 3 },
      `
      const { pino } = await import(${JSON.stringify(import.meta.resolve("pino"))});
      const circle = { n: 1 };
      circle.self = circle;
      const odd = [
        {},
        { text: 'a "quoted" \\\\ line\\nand\\u0000 more \\u00e9 \\u{1f600}', none: undefined, nil: null },
        { n: 1.5, not: NaN, big: Infinity, yes: true, list: [1, "x"], deep: { a: { b: 1 } } },
        { secret, at: new Date(0), go: () => 1 },
        { circle, beside: "x" },
        { err: new RangeError("too far"), event_id: "slack:1" },
        new Error("bare"),
      ];
      const theirs = [];
      const plain = pino(
        { base: { process: 3 }, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
        { write: (line) => theirs.push(line) },
      );
      for (const each of [log, plain]) {
        for (const fields of odd) each.warn(fields, "what happened");
        each.child({ bound: "b" }).info({ n: 1 }, "of a child");
        each.error({ n: 1 });
        each.info("only words");
        each.debug({ n: 1 }, "too fine");
      }
      await new Promise((done) => log.flush(done));
      process.stdout.write(theirs.join(""));`,
    );
    const all = output.trim().split("\n");
    const ours = all.slice(0, all.length / 2).map((line) => line.replace(/,"time":"[^"]+"/, ""));
    expect(ours).toEqual(all.slice(all.length / 2));
    expect(ours).toHaveLength(10);
    expect(ours[1]).toContain('"text":"a \\"quoted\\" \\\\ line\\nand\\u0000 more');
    expect(ours[3]).toContain('"secret":"***"');
    expect(ours[4]).toContain('"self":"[Circular]"');
    expect(ours[5]).toContain('"type":"RangeError"');
  });

  it.each(["debug", "warn", "error"])(
    "at %s repeats no secret that an error of a library holds",
    async (level) => {
      const output = await outputOf(
        { level: "debug", pretty: false },
        `new Secret("canary-0123"); log.${level}({ err: new Error("of canary-0123", { cause: new Error("canary-0123") }) });`,
      );
      expect(lines(output)[0]).toMatchObject({ level, err: { message: expect.stringContaining("***") } });
      expect(output).not.toContain("canary");
    },
  );

  it("can be silent", () => {
    expect(silentLogger().isLevelEnabled("fatal")).toBe(false);
  });
});
