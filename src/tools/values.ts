import { Secret } from "../shared/secret.ts";

export type Values = Readonly<Record<string, string | Secret>>;

/** As they are used, and kept nowhere. */
export function revealed(values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
}
