/** A whole number from the environment. Throws when it is none. */
export function envNumber(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return fallback;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError(`Expected ${name} to be a whole number, got ${text}`);
  return number;
}
