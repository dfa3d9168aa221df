/**
 * How many of each kind must go so that `max` are left: first those of the kinds that have the most. A kind that has
 * no more than an equal share of the room keeps all.
 */
export function surplus<K>(counts: ReadonlyMap<K, number>, max: number): Map<K, number> {
  const fewestFirst = [...counts].sort(([, a], [, b]) => a - b);
  const gone = new Map<K, number>();
  let room = max;
  fewestFirst.forEach(([kind, count], index) => {
    const kept = Math.min(count, Math.floor(room / (fewestFirst.length - index)));
    room -= kept;
    if (kept < count) gone.set(kind, count - kept);
  });
  return gone;
}
