import type { Place, Report } from "./source.ts";

/** The model reads it before two underscores, so there are none in it. */
export function toolNameOf(given: string, place: Place, report: Report): string {
  const clean = given
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9-]+/g, "_")
    .replaceAll(/_{2,}/g, "_")
    .replaceAll(/^[^A-Za-z]+|_+$/g, "")
    .slice(0, 31)
    .replace(/_+$/, "");
  const name = clean === "" ? "tool" : clean;
  if (name !== given) report(place, `is called ${name} here: letters, digits, dashes and single underscores`);
  return name;
}
