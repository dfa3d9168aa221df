import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { NO_TRACING, traceParentOf } from "../../src/telemetry/trace.ts";

const SRC = resolve(import.meta.dirname, "../../src");

it("where nothing is traced, nothing is loaded for it: one module knows the SDK, and it is loaded when asked for", () => {
  const files = globSync("**/*.ts", { cwd: SRC });
  const sources = files.map((file) => [file, readFileSync(join(SRC, file), "utf8")] as const);
  const of = (pattern: RegExp) => sources.flatMap(([file, source]) => (pattern.test(source) ? [file] : []));
  expect(of(/@opentelemetry\//)).toEqual(["telemetry/otel.ts"]);
  expect(of(/from "[^"]*\/otel\.ts"/)).toEqual([]);
  expect(of(/import\("[^"]*\/otel\.ts"\)/)).toEqual(["main.ts"]);
});

it("where nothing is traced, work is done as it is", async () => {
  expect(await NO_TRACING.span("x", {}, async (span) => span.ids)).toBeNull();
  expect([NO_TRACING.current(), NO_TRACING.ids()]).toEqual([undefined, null]);
});

it.each([
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true],
  ["00-00000000000000000000000000000000-00f067aa0ba902b7-01", false],
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false],
  ["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false],
  ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 00-4bf9", false],
  ["nonsense", false],
  [undefined, false],
])("of %s is taken up: %s", (header, isTaken) => {
  expect(traceParentOf(header)).toBe(isTaken ? header : undefined);
});
