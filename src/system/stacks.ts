import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * From now on a stack names the sources, not the bundle of them. Node's own way reads every map as its file is loaded, which
 * is a twentieth of a start; here a map is read when a stack is that goes through its file.
 */
export function nameSources(): void {
  if (process.sourceMapsEnabled || import.meta.url.endsWith(".ts")) return;
  const maps = new Map<string, SourceMap | null>();
  const mapOf = (file: string): SourceMap | null => {
    const known = maps.get(file);
    if (known !== undefined) return known;
    const map = readMap(file);
    maps.set(file, map);
    return map;
  };
  Error.prepareStackTrace = (error, sites) =>
    [headOf(error), ...sites.map((site) => `    at ${placed(site, mapOf)}`)].join("\n");
}

function readMap(file: string): SourceMap | null {
  const path = `${fileURLToPath(file)}.map`;
  try {
    return existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, "utf8"))) : null;
  } catch {
    // The error that is told of matters more than where it is.
    return null;
  }
}

/** As Node has it: an error of its own has its code beside its name. */
function headOf(error: Error): string {
  try {
    const { code } = error as { readonly code?: unknown };
    const head = Error.prototype.toString.call(error);
    return typeof code === "string" && code.startsWith("ERR_") && head.startsWith(`${error.name}:`)
      ? head.replace(error.name, `${error.name} [${code}]`)
      : head;
  } catch {
    return "Error";
  }
}

/** What V8 says of it by itself is right, but not in its types. */
type Site = NodeJS.CallSite & { toString(): string };

function placed(site: Site, mapOf: (file: string) => SourceMap | null): string {
  const text = site.toString();
  const [file, line, column] = [site.getFileName(), site.getLineNumber(), site.getColumnNumber()];
  if (!file?.startsWith("file:") || line === null || column === null) return text;
  const found = mapOf(file)?.findOrigin(line, column);
  if (found === undefined || !("fileName" in found)) return text;
  const source = fileURLToPath(new URL(found.fileName, file));
  return text.replace(`${file}:${line}:${column}`, `${source}:${found.lineNumber}:${found.columnNumber}`);
}
