import { lstatSync } from "node:fs";

/** A name beside it that nothing has, for what was there before. */
export function keptName(path: string, before: string): string {
  for (let i = 1; ; i++) {
    const name = `${path}.before-${before}${i === 1 ? "" : `-${i}`}`;
    if (lstatSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
}
