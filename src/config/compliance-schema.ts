import { z } from "zod";

const line = (max: number) => z.string().trim().min(1).max(max);

/** What no program can find out by itself, and `parley doctor --compliance` asks for. */
export const complianceSchema = z
  .strictObject({
    contacts: z
      .array(
        z.strictObject({
          role: z.enum(["security", "operations", "privacy"]).describe("What they are called for."),
          name: line(200).describe("A person, or a rota."),
          reach: line(500).describe("A telephone number, an address, a channel."),
        }),
      )
      .max(50)
      .default([])
      .describe(
        "Who is called when something has happened; one for `security` and one for `operations` at least.",
      ),
    reviewed: z.iso
      .date({ error: "expected a day such as 2026-11-29" })
      .optional()
      .describe("The day on which somebody last tried that all of them can be reached."),
    disk: z
      .enum(["encrypted", "unencrypted", "unknown"])
      .default("unknown")
      .describe(
        "Whether the disks of the data folder and of the backups are encrypted; whoever runs the machine knows.",
      ),
    backups: line(1_000)
      .default("backups")
      .describe("The folder of `parley backup --to`, from where the command is run."),
    backup_hours: z.int().min(1).max(8_760).default(24).describe("The newest backup must not be older."),
    every_days: z
      .int()
      .min(1)
      .max(3_650)
      .default(90)
      .describe("So often it is looked at, and so long a review of the contacts holds."),
  })
  .prefault({})
  .describe("For `parley doctor --compliance`; nothing of the gateway depends on it.");
