import { z } from "zod";

/** A file that holds a certificate or a key, named as the operator names it. */
const file = z.string().min(1).max(1_000);
const node = z.string().regex(/^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+):\d{1,5}$/, {
  error: "expected host:port, such as 10.0.0.5:26379",
});

const sentinel = z.strictObject({
  name: z.string().min(1).max(200).describe("The name that the Sentinels know the master by."),
  nodes: z.array(node).min(1).max(20).describe("The Sentinels, each as `host:port`; one is asked at a time."),
});

const tls = z
  .strictObject({
    ca_file: file
      .optional()
      .describe("Certificates (PEM) that sign the server's; the system's own when absent."),
    cert_file: file
      .optional()
      .describe("Our certificate (PEM), for a server that asks for one; with `key_file`."),
    key_file: file.optional().describe("The key (PEM) of `cert_file`."),
    servername: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe("The name in the server's certificate, where it is not the host of REDIS_URL."),
    verify: z
      .boolean()
      .default(true)
      .describe("`false` takes any certificate: encrypted, but to whom is anyone's guess."),
  })
  .prefault({})
  .describe("For a `rediss://` address. File names are relative to the working directory.");

const redis = z
  .strictObject({
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, {
        error: "expected 1 to 64 letters, digits, dots, dashes or underscores",
      })
      .default("parley")
      .describe("Begins every key. Installations that share a Redis or a Cluster need one each."),
    cluster: z.boolean().default(false).describe("REDIS_URL names one node of a Redis Cluster."),
    sentinel: z
      .union([z.literal("off"), sentinel])
      .default("off")
      .describe(
        "Sentinels say where the master is. User, password and database are still those of REDIS_URL; its host is not used.",
      ),
    tls,
    accept_loss: z
      .boolean()
      .default(false)
      .describe("Start although this Redis writes nothing to disk: what was acknowledged ends with it."),
    wait_replicas: z
      .int()
      .min(0)
      .max(8)
      .default(0)
      .describe("Acknowledge only what so many replicas of Redis have, so that a failover loses nothing."),
  })
  .prefault({})
  .describe("How REDIS_URL is used. Without REDIS_URL the store is one SQLite file, and this is not read.");

/** Where events are kept. */
export const storeSchema = z
  .strictObject({
    durability: z
      .enum(["power", "process"])
      .default("power")
      .describe(
        "What an acknowledgement of the SQLite file survives: a power cut, or only the end of the process.",
      ),
    spool: z
      .enum(["auto", "on", "off"])
      .default("auto")
      .describe(
        "While Redis is away, keep events in a local file and bring them later. `auto`: where the data folder can be written.",
      ),
    redis,
  })
  .prefault({});

/** What `spec.store` says, defaults filled in. */
export type StoreSpec = z.output<typeof storeSchema>;
