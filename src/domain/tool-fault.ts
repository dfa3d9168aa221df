/** A call of a tool that gave no result, because of what lies between us and the tool. Its message goes to the model. */
export class ToolFault extends Error {
  /** False: it certainly had no effect. */
  readonly mayHaveRun: boolean;
  /** Worth another try in a moment. */
  readonly isPassing: boolean;

  constructor(
    message: string,
    { mayHaveRun, isPassing, cause }: { mayHaveRun: boolean; isPassing: boolean; cause?: unknown },
  ) {
    super(message, { cause });
    this.name = "ToolFault";
    this.mayHaveRun = mayHaveRun;
    this.isPassing = isPassing;
  }
}
