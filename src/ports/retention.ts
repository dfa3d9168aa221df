/** How long what is over is kept. */
export interface Retention {
  readonly finishedMs: number;
  readonly deadMs: number;
  readonly turnsMs: number;
}
