/** A request of somebody's browser, for a page that an adapter serves. */
export interface PageRequest {
  readonly query: URLSearchParams;
  /** By lower-case name; undefined when absent. */
  header(name: string): string | undefined;
  /** Of the answer and the log. */
  readonly requestId: string;
}

/** What the browser gets: a small page of its own, or another address to go to. */
export interface PageAnswer {
  readonly status: number;
  /** Beside those that every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** A page for people, such as the way to install an app; GET alone, and on the same address in every replica that is asked. */
export interface Page {
  /** `/example/install`. */
  readonly path: string;
  /** Never throws on any input; what it throws is a fault of ours. */
  answer(request: PageRequest): Promise<PageAnswer>;
}
