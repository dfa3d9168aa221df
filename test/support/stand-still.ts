/** Nothing of this thread goes on meanwhile, as when its process is stopped. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
