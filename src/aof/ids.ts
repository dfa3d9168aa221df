import type { Entry, Report } from "./source.ts";
import { listOf, numberOf, rawText, within } from "./values.ts";

export function costCents(entry: Entry | undefined, report: Report): number | undefined {
  const cents = numberOf(entry, report);
  return cents === undefined || entry === undefined
    ? undefined
    : within(cents, { min: 0, max: 100_000_000 }, entry, report);
}

export function idsOf(
  entry: Entry | undefined,
  report: Report,
): { readonly id: string; readonly entry: Entry }[] {
  return listOf(entry).flatMap((one) => {
    const id = rawText(one, report)?.trim();
    return id === undefined || id === "" ? [] : [{ id: id.slice(0, 200), entry: one }];
  });
}
