import { z } from "zod";
import type { Replica } from "../domain/replica.ts";
import { iso } from "../shared/time.ts";

export interface ReplicasDeps {
  readonly replicas: { list(): Promise<readonly Replica[]> };
}

const replica = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  role: z.string(),
  version: z.string(),
  configuration: z
    .string()
    .describe("Digest of the configuration that holds there, as in `parley_config_info`."),
  started_at: z.iso.datetime(),
  last_seen: z.iso
    .datetime()
    .describe("Each says so every 30 seconds; one that was killed does not any more."),
});

export const replicasSchema = z.object({
  replicas: z.array(replica).describe("Seen within an hour, the one that answers first."),
});
export type ReplicasView = z.infer<typeof replicasSchema>;

export async function replicasView({ replicas }: ReplicasDeps): Promise<ReplicasView> {
  const found = await replicas.list();
  return {
    replicas: found.map(({ startedAtMs, seenAtMs, ...rest }) => ({
      ...rest,
      started_at: iso(startedAtMs),
      last_seen: iso(seenAtMs),
    })),
  };
}
