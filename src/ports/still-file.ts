/** What a file is by while it is still. */
export interface HeldStill {
  readonly bytes: number;
  /** Device and number: another file under the same name has another. */
  readonly identity: string;
}

/** A database file that is left as it is for a while, so that somebody else can copy it meanwhile. */
export interface StillFile {
  readonly path: string;
  /**
   * Brings everything that was committed into the file; from then on writes go to its log alone, for this long. Null:
   * the file cannot be brought into that state now, or somebody has it held still already.
   */
  hold(forMs: number): Promise<HeldStill | null>;
  /** For so long from now. False: it has not been still all the time since `hold`, and a copy of it is worth nothing. */
  extend(forMs: number): Promise<boolean>;
  /** Whether it was still all the time. */
  release(): Promise<boolean>;
}
