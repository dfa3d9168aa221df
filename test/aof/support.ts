import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MODULES } from "../../adapters/index.ts";
import { type AofFile, type Imported, importAof } from "../../src/aof/index.ts";

export const FIXTURES = join(import.meta.dirname, "../fixtures/aof");
/** Folders of which each is one installation. */
export const CORPUS = readdirSync(FIXTURES).filter((name) => !name.includes("."));

export function corpusOf(folder: string): readonly AofFile[] {
  const names = readdirSync(join(FIXTURES, folder)).sort();
  return names.map((file) => ({ file, text: readFileSync(join(FIXTURES, folder, file), "utf8") }));
}

const RATES = {
  input_per_million: 1,
  output_per_million: 2,
  cache_read_per_million: 1,
  cache_write_per_million: 2,
};

/** With a price for all models but those of the house. */
export function imported(files: readonly AofFile[] | string): Imported {
  const sources = typeof files === "string" ? [{ file: "a.yaml", text: files }] : files;
  return importAof(sources, {
    modules: MODULES,
    rates: (_provider, model) => (model.includes("house") ? undefined : RATES),
  });
}

export function linesOf({ remarks }: Pick<Imported, "remarks">): string[] {
  return remarks.map(({ file, line, key, words }) => `${file}:${line}: ${key}: ${words}`);
}
