import { DeliveryError } from "../domain/errors.ts";
import { redacted, redactedPart } from "../domain/redact.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Job } from "../ports/queue.ts";
import { type DeliverDeps, deliver } from "./deliver.ts";

/** What kept something from being said that is no part of the answer: a failure of the run. */
export class Aside extends Error {
  readonly error: DeliveryError;

  constructor(error: DeliveryError) {
    super("Could not be said beside the answer", { cause: error });
    this.name = "Aside";
    this.error = error;
  }
}

/** Says something that is no part of the answer, once: over restarts and replicas like one. Throws Aside for DeliveryError. */
export async function sayBeside(
  key: string,
  text: string,
  job: Job,
  adapter: Adapter,
  deps: DeliverDeps,
  signal: AbortSignal,
): Promise<void> {
  const parts = adapter.render(redacted(text), job.event.replyTo).map(redactedPart);
  try {
    await deliver(job, parts, adapter, { ...deps, beside: key }, signal);
  } catch (error) {
    throw error instanceof DeliveryError ? new Aside(error) : error;
  }
}
