/** Whether a name fits a pattern, in which `*` stands for any characters. In time that goes with the length of both. */
export function fits(name: string, pattern: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let from = 0;
  while (at < name.length) {
    if (pattern[place] === "*") {
      star = place++;
      from = at;
    } else if (pattern[place] === name[at]) {
      place++;
      at++;
    } else if (star !== -1) {
      place = star + 1;
      at = ++from;
    } else return false;
  }
  while (pattern[place] === "*") place++;
  return place === pattern.length;
}

export function fitsAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => fits(name, pattern));
}
