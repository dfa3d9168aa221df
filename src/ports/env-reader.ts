import type { Secret } from "../shared/secret.ts";

/** Reads variables one by one and collects what is wrong with them. Empty means not set. */
export interface EnvReader {
  /** Whatever it is. */
  text(name: string): string | null;
  /** A text of the form that the variable declares. */
  matching(name: string): string | null;
  /** An http(s) address. */
  url(name: string): string | null;
  /** A secret of the form that the variable declares, if any. */
  secret(name: string): Secret | null;
  /** A secret that opens something here, and must be hard to guess. */
  guard(name: string): Secret | null;
  /** One value, or two during a rotation, separated by a comma, whatever they are. Empty when not set. */
  pair(name: string): readonly string[];
  /** The same of secrets that open something here. */
  guards(name: string): readonly string[];
}
