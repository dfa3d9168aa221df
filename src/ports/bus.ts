/**
 * Word between the processes that share this store, the sender among them. At most once and not kept: for what can
 * also be found out in another way, later.
 */
export interface Bus {
  /** Never rejects. */
  publish(topic: string, message: string): Promise<void>;
  /** Gives how to leave. */
  subscribe(topic: string, heard: (message: string) => void): () => void;
}
