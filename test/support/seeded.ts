/** Uniform whole numbers below `below`, the same for the same seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = Math.imul(state, 48_271) >>> 0;
    state ^= state >>> 13;
    return (state >>> 0) % below;
  };
}
