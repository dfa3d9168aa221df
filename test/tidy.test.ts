import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { MODULES } from "../adapters/index.ts";
import { PLATFORMS } from "../src/domain/event.ts";

/**
 * The floor plan: each room, and those that it may import from. Each stands after all that it imports from, so no two
 * rooms can need each other. `adapters/*` are the platforms, of which none imports another.
 */
const ROOMS: readonly (readonly [room: string, mayImport: string])[] = [
  ["src/domain", ""],
  ["src/shared", "src/domain"],
  ["src/ports", "src/domain src/shared"],
  ["src/config", "src/domain src/shared src/ports"],
  ["src/aof", "src/domain src/shared src/ports src/config"],
  ["src/telemetry", "src/domain src/shared src/ports"],
  ["src/system", "src/domain src/shared src/ports"],
  ["src/feed", "src/domain src/shared src/ports"],
  ["src/reply", "src/domain src/shared src/ports src/telemetry"],
  ["src/hooks", "src/domain src/shared src/ports src/telemetry"],
  ["src/admit", "src/domain src/shared src/ports"],
  ["src/ingress", "src/domain src/shared src/ports src/telemetry"],
  ["src/dispatch", "src/domain src/shared src/ports src/telemetry src/reply"],
  ["src/agent", "src/domain src/shared src/ports src/reply"],
  ["src/models", "src/domain src/shared src/ports"],
  ["src/tools", "src/domain src/shared src/ports src/config"],
  ["src/store", "src/domain src/shared src/ports src/telemetry"],
  ["src/backup", "src/domain src/shared src/config src/store"],
  ["src/admin", "src/domain src/shared src/ports src/config src/telemetry src/feed"],
  ["src/console", "src/domain src/ports src/feed src/admin"],
  ["adapters/shared", "src/domain src/shared src/ports"],
  ["adapters/*", "src/domain src/shared src/ports adapters/shared"],
  ["adapters/index", "src/ports adapters/*"],
  ["src/gateway", "src/domain src/ports src/telemetry src/admit src/ingress"],
  ["src/worker", "src/domain src/shared src/ports src/telemetry src/reply src/dispatch src/agent"],
  [
    "src/app",
    "src/domain src/shared src/ports src/config src/telemetry src/system src/feed src/reply src/admit src/ingress " +
      "src/dispatch src/agent src/models src/tools src/store src/hooks src/admin src/console src/gateway src/worker",
  ],
  ["src/main", "adapters/index src/domain src/shared src/config src/telemetry src/system src/models src/app"],
  ["src/process", "src/main"],
  [
    "src/cli",
    "src/domain src/shared src/ports src/config src/aof src/system src/feed src/ingress src/models src/tools src/store src/hooks src/backup src/admin " +
      "adapters/shared adapters/* adapters/index src/app src/main",
  ],
];

const root = resolve(import.meta.dirname, "..");
const files = [...walk(join(root, "src")), ...walk(join(root, "adapters"))].filter((file) =>
  file.endsWith(".ts"),
);

describe("the source tree", () => {
  it("has a room for every file, each after those that it imports from", () => {
    const rooms = ROOMS.map(([room]) => room);
    expect([...new Set(files.map(roomOf))].filter((room) => !rooms.includes(room))).toEqual([]);
    const late = ROOMS.flatMap(([room, mayImport], place) =>
      wordsOf(mayImport)
        .filter((other) => !rooms.slice(0, place).includes(other))
        .map((other) => `${room} stands before ${other}`),
    );
    expect(late).toEqual([]);
  });

  it("imports only from the same room and from those that the floor plan allows", () => {
    const allowed = new Map(ROOMS.map(([room, mayImport]) => [room, new Set(wordsOf(mayImport))]));
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !isSameRoom(file, target) && !allowed.get(roomOf(file))?.has(roomOf(target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it("has no circle of imports, types included", () => {
    expect(circleIn(new Map(files.map((file) => [file, importsOf(file)])))).toBeNull();
    // Or it would find none anywhere.
    const circle = { a: ["b"], b: ["d", "c"], c: ["a"], d: [] };
    expect(circleIn(new Map(Object.entries(circle)))).toEqual(["a", "b", "c", "a"]);
  });

  it("calls nothing else by a noun of the domain", () => {
    const others = files
      .filter((file) => !/^src\/(domain|ports)\//.test(file))
      .flatMap((file) => {
        const source = readFileSync(join(root, file), "utf8");
        return [
          ...source.matchAll(/\b(?:interface|type|class) (?:Answer|Run|Turn|Verdict|Job|Event)\b(?! *[,}])/g),
        ].map(([found]) => `${file}: ${found}`);
      });
    expect(others).toEqual([]);
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
      "src/console/page/api.ts",
      "src/models/heard.ts",
      "src/models/remote/index.ts",
      "src/tools/mcp/limited-fetch.ts",
      "bin/healthcheck.js",
    ]);
    for (const { file, around } of clients) expect(around, file).toMatch(/redirect: "(?:manual|error)"/);
    // The SDK of a model brings a fetch of its own; node:http follows none, and src/shared/call.ts says so.
    const models = files.filter((file) => /\bnew Client\(\{/.test(readFileSync(join(root, file), "utf8")));
    expect(models).toEqual(["src/models/anthropic.ts", "src/models/openai.ts"]);
    for (const file of models)
      expect(readFileSync(join(root, file), "utf8")).toContain('fetchOptions: { redirect: "manual" }');
    const others = files.filter((file) =>
      /(?:from|import\() ?"(?:undici|axios|got|node-fetch)/.test(readFileSync(join(root, file), "utf8")),
    );
    expect(others).toEqual([]);
  });

  it("knows no platform by name in src/, but for the list of names", () => {
    const sources = walk(join(root, "src")).filter((file) => file !== "src/domain/event.ts");
    expect(sources.length).toBeGreaterThan(200);
    const naming = sources.flatMap((file) => {
      const lines = readFileSync(join(root, file), "utf8").split("\n");
      return lines.flatMap((line, i) => (NAMED.test(line) ? [`${file}:${i + 1} ${line.trim()}`] : []));
    });
    expect(naming).toEqual([]);
  });

  it("lists a module for each name, in the same order", () => {
    expect(MODULES.map(({ name }) => name)).toEqual(PLATFORMS);
    expect(MODULES.map(({ name }) => name)).toContain("test");
  });

  it("has the same names in the folder of each platform", () => {
    const missing = PLATFORMS.flatMap((platform) => {
      const folder = join(root, "adapters", platform);
      const names = existsSync(folder) ? readdirSync(folder) : [];
      // These two have no markup of their own, and no API.
      const due = platform === "test" || platform === "in" ? NAMES : [...NAMES, ...NAMES_OF_AN_API];
      return due.filter((name) => !names.includes(name)).map((name) => `${platform}/${name}`);
    });
    expect(missing).toEqual([]);
    // Whoever adds one reads of all of them there.
    const page = readFileSync(join(root, "docs/adding-a-platform.md"), "utf8");
    const untold = [...NAMES, ...NAMES_OF_AN_API].filter((name) => !page.includes(`\`${name}\``));
    expect(untold).toEqual([]);
  });

  it("has no assertion that cannot fail", () => {
    const blind = testFiles().flatMap((file) =>
      BLIND.filter(({ form }) => form.test(readFileSync(join(root, file), "utf8"))).map(
        ({ what }) => `${file}: ${what}`,
      ),
    );
    expect(blind).toEqual([]);
  });

  it.each([
    ["expect(a).toMatchObject({ message: /gone/ });", "a RegExp in toMatchObject matches anything"],
    [
      "expect(a).toMatchObject({ b: { c: [{ d: 1, e: /x(y)/i }] } });",
      "a RegExp in toMatchObject matches anything",
    ],
    ["expect(a).toMatchObject([/x/]);", "a RegExp in toMatchObject matches anything"],
    ["expect(a).toMatchObject({});", "every object matches {}"],
    ["  expect(a.b(c));\n", "an expectation without a matcher"],
    ["  await expect(promise);\n", "an expectation without a matcher"],
    ["expect(true).toBe(true);", "a constant is what it is"],
  ])("sees that %j cannot fail", (source, what) => {
    expect(BLIND.filter(({ form }) => form.test(source)).map((one) => one.what)).toEqual([what]);
  });

  it("leaves alone what can fail", () => {
    const source = `expect(a).toMatchObject({ b: expect.stringMatching(/gone/) });
      expect(a).toMatchObject({ url: "https://a/b/c", ratio: 1 / 2 }); expect(a).toThrow(/gone/);`;
    expect(BLIND.filter(({ form }) => form.test(source))).toEqual([]);
  });

  it("has no file that has outgrown one idea", () => {
    const long = files.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 400);
    expect(long).toEqual([]);
  });
});

/** In code and comments; "test" and "in" are words as well, so only where they are names. */
const NAMED = new RegExp(
  `${PLATFORMS.filter((name) => name !== "test" && name !== "in").join("|")}|[!=]== "(?:test|in)"`,
  "i",
);

const NAMES = [
  "README.md",
  ...tsOf(
    "index",
    "adapter",
    "sending",
    "explain",
    "verify",
    "parse",
    "event",
    "address",
    "render",
    "send",
    "sample",
  ),
];
const NAMES_OF_AN_API = tsOf("settings", "text", "dialect", "api", "failure", "probe", "stub");

/** Up to the end of the call, which in formatted code is the first `)` that ends a statement or a line. */
const BLIND: readonly { readonly what: string; readonly form: RegExp }[] = [
  {
    what: "a RegExp in toMatchObject matches anything",
    form: /\.toMatchObject\((?:(?!\);|\),?\n)[\s\S])*?[:[,]\s*\/(?![/*])(?:\\.|[^/\n\\])+\/[dgimsuvy]*\s*[,}\]]/,
  },
  { what: "every object matches {}", form: /\.toMatchObject\(\s*\{\s*\}\s*\)/ },
  { what: "an expectation without a matcher", form: /^\s*(?:await )?expect\([^\n]*\)(?<!\)\.[^\n]*);$/m },
  { what: "a constant is what it is", form: /\bexpect\((?:true|false|null|undefined|\d+|"[^"]*")[,)]/ },
];

function testFiles(): string[] {
  return walk(join(root, "test")).filter((file) => file.endsWith(".ts") && file !== "test/tidy.test.ts");
}

function tsOf(...names: string[]): string[] {
  return names.map((name) => `${name}.ts`);
}

/** `src/app.ts` and what lies in `src/app/` are one room. */
function roomOf(file: string): string {
  const room = folderOf(file);
  return PLATFORMS.some((platform) => room === `adapters/${platform}`) ? "adapters/*" : room;
}

function isSameRoom(file: string, other: string): boolean {
  return folderOf(file) === folderOf(other);
}

function folderOf(file: string): string {
  return file.split("/").slice(0, 2).join("/").replace(/\.ts$/, "");
}

function wordsOf(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** The first one that is found, or null. */
function circleIn(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const done = new Set<string>();
  function search(file: string, way: readonly string[]): readonly string[] | null {
    const at = way.indexOf(file);
    if (at !== -1) return [...way.slice(at), file];
    if (done.has(file)) return null;
    for (const next of imports.get(file) ?? []) {
      const circle = search(next, [...way, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  }
  for (const file of imports.keys()) {
    const circle = search(file, []);
    if (circle !== null) return circle;
  }
  return null;
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
