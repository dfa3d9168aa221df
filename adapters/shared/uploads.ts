import { DeliveryError } from "../../src/domain/errors.ts";

/** A form written out with its boundary, so that it is sent like any other body. */
export async function writtenForm(form: FormData): Promise<{ readonly body: Buffer; readonly type: string }> {
  const response = new Response(form);
  return {
    body: Buffer.from(await response.arrayBuffer()),
    type: response.headers.get("content-type") ?? "",
  };
}

/** A step that nobody sees: what became of it does not matter, and it is begun anew. */
export async function unseen<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (!(error instanceof DeliveryError) || error.kind !== "unknown") throw error;
    throw new DeliveryError("retry", error.message, {
      status: error.status,
      retryAfterMs: error.retryAfterMs,
    });
  }
}
