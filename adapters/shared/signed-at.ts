/** Further than this from our clock, on either side, a request is a replay. */
export const WINDOW_SECONDS = 300;

/** On which side of the window a moment lies that was signed, in whole seconds; null: it is within. */
export function outsideWindow(timestamp: string, receivedAtMs: number): "old" | "ahead" | null {
  const ageSeconds = Math.floor(receivedAtMs / 1000) - Number(timestamp);
  if (Math.abs(ageSeconds) <= WINDOW_SECONDS) return null;
  return ageSeconds > 0 ? "old" : "ahead";
}
