// Puts the sources and the packages that they use into a few files: to load six hundred modules one by one takes half
// of the time of a start. What is imported lazily stays a file of its own.
import { cpSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { buildPage } from "./page.js";

/** What is started or imported by its path: the programs and the threads. */
const ENTRIES = [
  "src/cli/index",
  "src/main",
  "src/process",
  "src/store/sqlite/thread",
  "src/store/sqlite/look-thread",
  "src/app/rendering/thread",
];
/**
 * What starts most, from what loads least to what loads most. Modules that the same ones of these need are one file: to find,
 * read and link many small ones costs a start. What other commands need, too, is left to the bundler.
 */
const STARTS = [
  "src/cli/index.ts",
  "src/cli/client.ts",
  "src/store/sqlite/thread.ts",
  "src/store/sqlite/look-thread.ts",
  "src/main.ts",
  "src/app.ts",
];
/** They bring the gateway itself, the first by way of the table of all. */
const WHOLE = ["serve.ts", "run.ts", "index.ts", "commands.ts"];
/** Read, not imported. */
const ASSETS = ["src/store/redis/lua", "src/console/page.html", "src/console/page.css"];

/** A gateway that runs from the files of before may still have some of them to load. */
const KEEP_MS = 86_400_000;

/** What renders in a thread: of each platform that has any markup. */
function renderers(from) {
  return readdirSync(join(from, "adapters"))
    .map((platform) => `adapters/${platform}/render`)
    .filter((entry) => existsSync(join(from, `${entry}.ts`)));
}

/** Writes `to` anew from the sources in `from`; each entry keeps its path. Throws what the bundler finds wrong. */
export async function bundle(from, to) {
  const bundled = await rolldown({
    cwd: from,
    input: Object.fromEntries(
      [...ENTRIES, ...renderers(from)].map((entry) => [entry, join(from, `${entry}.ts`)]),
    ),
    platform: "node",
    preserveEntrySignatures: "allow-extension",
    plugins: [keepPlaces(from), asciiAlone(), mapOwnCode()],
    onLog: (level, log, handle) => {
      // Of packages; ours are linted.
      if (level === "warn" && ["EVAL", "COMMONJS_VARIABLE_IN_ESM"].includes(log.code)) return;
      handle(level, log);
    },
  });
  const { output } = await bundled.write({
    dir: to,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    sourcemapExcludeSources: true,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ name: groupsOf(from), debugName: "starts" }],
    },
  });
  await bundled.close();
  const written = new Set(output.map(({ fileName }) => fileName));
  for (const name of readdirSync(join(to, "chunks"))) {
    const chunk = join(to, "chunks", name);
    if (!written.has(`chunks/${name}`) && Date.now() - statSync(chunk).mtimeMs > KEEP_MS) rmSync(chunk);
  }
  for (const asset of ASSETS) cpSync(join(from, asset), join(to, asset), { recursive: true });
  writeFileSync(join(to, "src/console/page.js"), await buildPage(join(from, "src/console/page/main.ts")));
  writeFileSync(join(to, "stamp"), "");
}

/** Which file a module goes to; null: one that the bundler chooses, by what imports it. */
function groupsOf(from) {
  let needed;
  let ofCommands;
  return (id, graph) => {
    if (graph.getModuleInfo(id)?.isEntry) return null;
    needed ??= STARTS.map((start) => neededBy(join(from, start), graph));
    ofCommands ??= neededByCommands(from, graph);
    if (ofCommands.has(id)) return null;
    const by = needed.flatMap((ids, n) => (ids.has(id) ? [n] : []));
    return by.length === 0 ? null : `start-${by.join("")}`;
  };
}

/** Also what they load later: none shall read a large file for a module of it. */
function neededByCommands(from, graph) {
  const found = new Set();
  const folder = join(from, "src/cli");
  for (const name of readdirSync(folder))
    if (!WHOLE.includes(name)) neededBy(join(folder, name), graph, found, true);
  return found;
}

function neededBy(id, graph, found = new Set(), isLater = false) {
  if (found.has(id)) return found;
  found.add(id);
  const { importedIds = [], dynamicallyImportedIds = [] } = graph.getModuleInfo(id) ?? {};
  for (const imported of [...importedIds, ...(isLater ? dynamicallyImportedIds : [])])
    neededBy(imported, graph, found, isLater);
  return found;
}

/**
 * A module finds what lies beside it by `import.meta`, wherever the bundler has put its code: it is told the place that it
 * would have as a file of its own.
 */
function keepPlaces(from) {
  const place = /__PLACE_OF__\("([^"]+)"\)\.(url|dirname)/g;
  return {
    name: "keep-places",
    transform(code, id) {
      if (id.includes("node_modules") || !/import\.meta\.(url|dirname)/.test(code)) return null;
      const path = relative(from, id).replaceAll("\\", "/").replace(/\.ts$/, ".js");
      // No line moves: the map of before still holds.
      return { code: code.replace(/import\.meta\.(url|dirname)/g, `__PLACE_OF__("${path}").$1`), map: null };
    },
    renderChunk(code, { fileName }) {
      const found = code.replace(place, (_, path, what) => {
        const way = (to) => relative(dirname(fileName), to).replaceAll("\\", "/") || ".";
        return what === "url"
          ? `new URL("${way(path)}", import.meta.url).href`
          : `(import.meta.dirname + "/${way(dirname(path))}")`;
      });
      return { code: found, map: null };
    },
  };
}

/** A file of ASCII alone is read as it is, another is decoded into twice as many bytes. No line moves, for the map. */
function asciiAlone() {
  return {
    name: "ascii-alone",
    generateBundle(_, files) {
      for (const file of Object.values(files)) {
        // After a backslash it would be another escape.
        if (file.type !== "chunk" || /\\[^\0-\x7f]/.test(file.code)) continue;
        file.code = file.code.replace(
          /[^\0-\x7f]/g,
          (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
        );
      }
    },
  };
}

/** Maps cost time at each start; those of packages alone are left out. */
function mapOwnCode() {
  return {
    name: "map-own-code",
    generateBundle(_, files) {
      for (const [name, file] of Object.entries(files)) {
        if (file.type !== "chunk" || file.moduleIds.some((id) => !id.includes("node_modules"))) continue;
        file.code = file.code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
        delete files[`${name}.map`];
      }
    },
  };
}

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
if (process.argv[1] === at("bundle.js")) await bundle(at(".."), at("../dist"));
