import type { TriggerEvent } from "../domain/event.ts";

/** Which roles people have, of a platform whose messages do not tell; of their own tenant alone. */
export interface RoleReader {
  /** Which of those named the sender has, by what is known by now; null: that is not known. What is missing is asked for beside it. */
  known(event: TriggerEvent, named: ReadonlySet<string>): readonly string[] | null;
  /** The same, after the platform was asked where need be. Null: it does not tell now. Never rejects. */
  read(
    event: TriggerEvent,
    named: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly string[] | null>;
}
