/** Of a call that ends by its own time alone: a sign that somebody waits for is given also by a process that ends. */
export const UNSTOPPED: AbortSignal = new AbortController().signal;

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
