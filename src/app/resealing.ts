import type { Vault } from "../ports/vault.ts";
import { messageOf } from "../shared/fault.ts";
import type { Seal } from "../shared/seal.ts";
import { resealAll } from "../store/secrets.ts";
import type { Logger } from "../telemetry/log.ts";

/**
 * Seals with the first key what another has sealed, and says so. Two processes at once do no harm: what another has sealed
 * meanwhile is left as it is. Never rejects.
 */
export async function resealed(
  seal: Seal,
  vault: Vault,
  log: Pick<Logger, "info" | "warn" | "error">,
): Promise<void> {
  try {
    const { resealed, unreadable } = await resealAll(seal, vault);
    if (resealed > 0) log.info({ resealed }, "secrets.resealed");
    if (unreadable.length > 0)
      log.error({ names: unreadable, code: "SECRET_UNREADABLE" }, "secrets.unreadable");
  } catch (error) {
    log.warn({ cause: messageOf(error) }, "secrets.not_resealed");
  }
}
