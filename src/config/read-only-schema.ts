import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import type { PlatformModule } from "../ports/platform.ts";

const id = z.union([z.string().min(1).max(200), z.int()]).transform(String);
const some = z.union([id, z.array(id).min(1).max(1_000)]).transform((value) => [value].flat());

/** Where tools that do more than read need an approval, whatever their agents say. */
export const readOnlyOf = (modules: readonly PlatformModule[]) =>
  z
    .array(
      z.union([
        z.enum(PLATFORMS).transform((platform) => ({ platform, read_only: true as boolean })),
        z.strictObject({
          platform: z.enum(PLATFORMS).optional(),
          tenant: some.optional(),
          channel: some.optional(),
          role: some.optional().describe("People with one of these roles, where the platform tells of them."),
          read_only: z.boolean().default(true).describe("`false`: not there, whatever stands further down."),
        }),
      ]),
    )
    .max(1_000)
    .default(
      modules
        .filter(({ isReadOnly }) => isReadOnly === true)
        .map(({ name }) => ({ platform: name, read_only: true })),
    )
    .describe(
      "Where tools run without an approval only when they read: the first entry that fits decides, all that it names must fit.",
    );

export type ReadOnlyRules = z.output<ReturnType<typeof readOnlyOf>>;
