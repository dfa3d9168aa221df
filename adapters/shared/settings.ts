import { Secret } from "../../src/shared/secret.ts";

export function asSecret(value: string): Secret {
  return new Secret(value);
}

export function withoutSlash<T extends string | null>(url: T): T {
  return (url === null ? null : url.replace(/\/+$/, "")) as T;
}
