import type { Instruments } from "./instruments.ts";

const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10];

/** The store, the spool beside it, and what is kept in order there. */
export function storesMetrics({ counter, gauge, histogram }: Instruments) {
  return {
    storeUp: gauge("store_up", "1 while the store answers and takes events.", { over: "min" }),
    storeBytes: gauge(
      "store_file_size_bytes",
      "Size of the database file with its log; with Redis, the memory that it uses.",
      { over: "max" },
    ),
    storeSeconds: histogram(
      "store_call_duration_seconds",
      "Duration of one call of the store.",
      STORE_SECONDS,
      ["operation"],
    ),
    storeErrors: counter("store_call_failures_total", "Calls of the store that failed.", [
      "operation",
      "code",
    ]),
    spoolEvents: gauge("spool_events", "Events in local files that wait for the store to come back."),
    spooled: counter("spooled_total", "Events kept in a local file because the store was away."),
    spoolForwarded: counter("spool_forwarded_total", "Events brought from a local file to the store."),
    housekeeper: gauge(
      "housekeeping_holder",
      "1 in the process that is elected to delete what is past its time.",
    ),
    sweptAt: gauge(
      "housekeeping_last_sweep_timestamp_seconds",
      "When what is past its time was deleted last, by whichever process; 0: never yet.",
      { over: "max" },
    ),
    backupNewest: gauge(
      "backup_newest_timestamp_seconds",
      "When the newest archive of everything in the folder `compliance.backups` was made; 0: none is there.",
      { over: "max" },
    ),
    auditEntries: counter("audit_entries_total", "Entries written to the audit, by what was done.", [
      "action",
    ]),
    auditWaiting: gauge("audit_waiting", "Entries of the audit that the store has not taken yet."),
    auditLost: counter("audit_lost_total", "Entries of the audit that no store has taken; the log has them."),
  };
}
