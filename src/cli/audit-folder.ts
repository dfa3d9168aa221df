import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AuditVerifiedView, verifiedView } from "../admin/audit.ts";
import type { AuditPlace } from "../domain/audit.ts";
import { GatewayError } from "../domain/errors.ts";
import { verifyAudit } from "../shared/audit-verify.ts";
import { EXIT } from "../shared/exit.ts";
import { messageOf } from "../shared/fault.ts";
import { readRows } from "../store/sqlite/audit.ts";
import { prepareAuditStatements } from "../store/sqlite/audit-statements.ts";
import { openDatabase } from "../store/sqlite/database.ts";
import { refuseLogWithoutFile } from "../store/sqlite/examine.ts";
import { bringBack, closeAsItIs } from "../store/sqlite/file.ts";
import { printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

/** Of a database that no gateway has open, its log included. Both are left as they are. */
export async function verifyFolder(
  folder: string,
  known: AuditPlace | undefined,
  { cwd }: Pick<Terminal, "cwd">,
): Promise<AuditVerifiedView> {
  const file = join(resolve(cwd, folder), "parley.db");
  try {
    bringBack(file);
    if (!existsSync(file))
      throw new CommandError(EXIT.usage, `expected ${printable(file)}, got no such file`);
    refuseLogWithoutFile(file);
    const db = openDatabase(file, "process");
    try {
      const sql = prepareAuditStatements(db);
      return verifiedView(await verifyAudit(async (page) => readRows(sql, page), known));
    } finally {
      closeAsItIs(db, file);
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const isRunning = error instanceof GatewayError && error.code === "STORE_LOCKED";
    const what = isRunning ? "a gateway that runs on it; ask that one, without --data" : messageOf(error);
    throw new CommandError(
      isRunning ? EXIT.unreachable : EXIT.failed,
      `expected to read the audit of ${printable(file)}, got ${printable(what)}`,
    );
  }
}
