/** Where the calls of one account at a provider wait for their turn. */
export interface CallGate {
  /**
   * Resolves when the call may be made, with what is to be called once when it is over. Rejects with the signal's reason when
   * aborted, and with ModelBusy where it would have to wait too long, or longer than `leftMs`.
   */
  enter(signal: AbortSignal, waiting: CallWaiting): Promise<() => void>;
}

interface CallWaiting {
  /** What is left to whoever makes it. */
  readonly leftMs: number;
  /** Called when it cannot be made at once. */
  readonly waits: () => void;
}
