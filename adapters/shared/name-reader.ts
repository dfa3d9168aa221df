import { DeliveryError } from "../../src/domain/errors.ts";
import type { Mention } from "../../src/domain/mention.ts";
import type { NameReader } from "../../src/ports/names.ts";
import { Directory, type DirectoryOptions } from "./directory.ts";

/** For which a run waits; names that come later are there for the next. */
const WAIT_MS = 2_000;
/** We may not ask for that there: until somebody changes that. */
const LACKING_MS = 10 * 60_000;
/** The platform is away, or not well. */
const UNWELL_MS = 30_000;

export interface NameReaderOptions extends Omit<DirectoryOptions, "lookUp"> {
  /** By `mentionKey`; of others, too, where the platform tells all at once. Rejects as its calls do. */
  readonly named: (tenant: string, wanted: Mention) => Promise<ReadonlyMap<string, string>>;
  /** Whether this refusal is about the one that is asked for. */
  readonly isNobody: (error: DeliveryError, wanted: Mention) => boolean;
}

/** Names that a platform tells, remembered, and not asked for where it would not tell them. */
export function createNameReader({ named, isNobody, ...options }: NameReaderOptions): NameReader {
  const directory = new Directory({
    ...options,
    async lookUp(tenant, wanted) {
      try {
        return { kind: "told", names: await named(tenant, wanted) };
      } catch (error) {
        if (!(error instanceof DeliveryError)) return { kind: "rest", forMs: UNWELL_MS };
        if (isNobody(error, wanted)) return { kind: "nobody" };
        const forMs = error.kind === "rejected" ? LACKING_MS : (error.retryAfterMs ?? UNWELL_MS);
        return { kind: "rest", forMs };
      }
    },
  });
  return {
    waitMs: WAIT_MS,
    read: async (tenant, wanted, signal) => await directory.read(tenant, wanted, signal),
    forget: () => directory.forget(),
  };
}
