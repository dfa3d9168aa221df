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
  /** A secret that opens something here, and must be hard to guess; where the variable may be a pair, of two values in a rotation. */
  guard(name: string): Secret | null;
  /** One value, or two during a rotation, separated by a comma, whatever they are. Empty when not set. */
  pair(name: string): readonly string[];
  /** The same of what checks who is let in, but is no secret, such as a public key. */
  guards(name: string): readonly string[];
}
