import process from "node:process";

/** Of a clock that all processes of a machine share, and nobody sets. */
export const steadyMs = () => Number(process.hrtime.bigint()) / 1e6;

/** What the server of this benchmark is told to do. */
export interface Telling {
  readonly perSecond: number;
  readonly seconds: number;
  /** The changes are about these, one after the other. */
  readonly conversations: number;
  readonly tenants: number;
}

/** What it says, a line each. */
export type Said =
  | { readonly port: number }
  | { readonly tokens: readonly string[] }
  | { readonly cpuMicros: number; readonly rssBytes: number; readonly missed: number };
