export function asList<T>(one: T | null): readonly T[] {
  return one === null ? [] : [one];
}

export function withoutSlash<T extends string | null>(url: T): T {
  return (url === null ? null : url.replace(/\/+$/, "")) as T;
}
