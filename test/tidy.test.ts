import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { PLATFORMS } from "../src/domain/event.ts";

/** The layer list: a file imports from its own module and from earlier rows only. */
const LAYERS: readonly (readonly RegExp[])[] = [
  [/^src\/domain\//],
  [/^src\/shared\//],
  [/^src\/ports\//],
  [/^src\/(config|telemetry|system)\//, /^adapters\/shared\//],
  [/^src\/(feed|reply)\//],
  [
    /^src\/(ingress|admit|dispatch|agent|admin)\//,
    /^src\/(store|models|mcp)\//,
    /^adapters\/(slack|discord|telegram|whatsapp|test)\//,
  ],
  [/^src\/(gateway|worker)\.ts$/, /^adapters\/(index|renderers)\.ts$/],
  [/^src\/app(\.ts$|\/)/],
  [/^src\/main\.ts$/],
  [/^src\/(cli\/|process\.ts$)/],
];

const root = resolve(import.meta.dirname, "..");
const files = [...walk(join(root, "src")), ...walk(join(root, "adapters"))].filter((file) =>
  file.endsWith(".ts"),
);

describe("the source tree", () => {
  it("has a place in the layer list for every file", () => {
    expect(files.filter((file) => layerOf(file) === -1)).toEqual([]);
  });

  it("imports only from its own module and from earlier layers", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !isAllowed(file, target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("keeps the domain free of I/O", () => {
    const impure = files
      .filter((file) => file.startsWith("src/domain/"))
      .filter((file) => /from "(node:|[a-z@])/.test(readFileSync(join(root, file), "utf8")));
    expect(impure).toEqual([]);
  });

  it("has no client that follows redirects: what is asked, and with which key, stays where it was sent", () => {
    const clients = [...files, "bin/parley.js", "bin/healthcheck.js"].flatMap((file) => {
      const source = readFileSync(join(root, file), "utf8");
      return [...source.matchAll(/(?:\bawait|\breturn|=>?) fetch\(/g)].map(({ index }) => ({
        file,
        // The options of all calls stand just before or in them.
        around: source.slice(Math.max(0, index - 200), index + 200),
      }));
    });
    expect(clients.map(({ file }) => file)).toEqual([
      "src/cli/ask.ts",
      "src/cli/client.ts",
      "bin/healthcheck.js",
    ]);
    for (const { file, around } of clients) expect(around, file).toMatch(/redirect: "(?:manual|error)"/);
    // The SDK of a model brings a fetch of its own; node:http follows none, and src/shared/call.ts says so.
    const models = files.filter((file) => /\bnew Client\(\{/.test(readFileSync(join(root, file), "utf8")));
    expect(models).toEqual(["src/models/anthropic.ts"]);
    for (const file of models)
      expect(readFileSync(join(root, file), "utf8")).toContain('fetchOptions: { redirect: "manual" }');
    const others = files.filter((file) =>
      /(?:from|import\() ?"(?:undici|axios|got|node-fetch)/.test(readFileSync(join(root, file), "utf8")),
    );
    expect(others).toEqual([]);
  });

  it("has the same names in the folder of each platform", () => {
    const missing = PLATFORMS.flatMap((platform) => {
      const names = readdirSync(join(root, "adapters", platform));
      // The test platform has no markup of its own, and no API.
      const due = platform === "test" ? NAMES : [...NAMES, ...NAMES_OF_AN_API];
      return due.filter((name) => !names.includes(name)).map((name) => `${platform}/${name}`);
    });
    expect(missing).toEqual([]);
  });

  it("has no file that has outgrown one idea", () => {
    const long = files.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });
});

const NAMES = [
  "README.md",
  ...tsOf("adapter", "verify", "parse", "event", "address", "render", "send", "sample"),
];
const NAMES_OF_AN_API = tsOf("text", "dialect", "api", "failure");

function tsOf(...names: string[]): string[] {
  return names.map((name) => `${name}.ts`);
}

function isAllowed(file: string, target: string): boolean {
  if (moduleOf(file) === moduleOf(target)) return true;
  return layerOf(target) < layerOf(file) || (layerOf(file) === 3 && layerOf(target) === 3);
}

function layerOf(file: string): number {
  return LAYERS.findIndex((patterns) => patterns.some((pattern) => pattern.test(file)));
}

function moduleOf(file: string): string {
  return file.split("/").slice(0, 2).join("/").replace(/\.ts$/, "");
}

function importsOf(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8");
  return [...source.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map((match) =>
    relative(root, resolve(root, dirname(file), match[1] ?? "")),
  );
}

function walk(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? walk(path) : [relative(root, path)]));
}
