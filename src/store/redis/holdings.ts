import type { Job } from "../../ports/queue.ts";

/** The claims of this process: which event a token is for. What is not here is lost, whatever Redis says. */
export class Holdings {
  readonly #seqs = new Map<number, string>();

  take(token: number, seq: string): void {
    this.#seqs.set(token, seq);
  }

  seqOf({ token }: Pick<Job, "token">): string | undefined {
    return this.#seqs.get(token);
  }

  end({ token }: Pick<Job, "token">): void {
    this.#seqs.delete(token);
  }

  tokens(): string[] {
    return [...this.#seqs.keys()].map(String);
  }
}
