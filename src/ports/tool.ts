/** Something a model may ask for. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Decides who must approve. */
  readonly effect: "read" | "write" | "delete";
  /** Safe to call again when it is unknown whether an earlier call ran. */
  readonly repeatable: boolean;
  readonly inputSchema: object;
  call(input: unknown, signal: AbortSignal): Promise<string>;
}
