import { type KeptFile, type Media, type MediaKey, MediaRefused } from "../../ports/media.ts";
import { digest } from "../media/digest.ts";
import type { Parts } from "./parts.ts";

export interface RedisMediaLimits {
  /** Redis holds all of it in memory, and one script carries it. */
  readonly fileBytes: number;
  readonly totalBytes: number;
}

/** Small ones cost memory beside their bytes. */
const FILES_MAX = 20_000;

/** Files of messages in Redis itself: small ones, for replicas that share no folder. */
export function createMedia({ run, now }: Parts, limits: RedisMediaLimits): Media {
  const nameOf = ({ conversation, id }: MediaKey) => [digest(conversation), digest(id)];

  async function drop(...which: (string | number)[]): Promise<number> {
    let gone = 0;
    for (;;) {
      const [dropped, hasMore] = (await run("drop_media", [now(), ...which], "long")) as [number, number];
      gone += dropped;
      if (hasMore === 0) return gone;
    }
  }

  const media: Media = {
    place: "Redis",
    async put(key, bytes, bytesMax) {
      const there = await media.find(key);
      if (there !== null) return there.sizeBytes;
      const whole = await gathered(bytes, Math.min(bytesMax, limits.fileBytes));
      const args = [...nameOf(key), whole.length, whole.toString("base64"), limits.totalBytes, FILES_MAX];
      const size = (await run("put_media", [now(), ...args], "long")) as number;
      if (size < 0)
        throw new MediaRefused("full", `No room: all files together may have ${limits.totalBytes} bytes`);
      return size;
    },
    async find(key): Promise<KeptFile | null> {
      const [sizeBytes, text] = (await run("get_media", [now(), ...nameOf(key)], "long")) as [
        number?,
        string?,
      ];
      if (sizeBytes === undefined || text === undefined) return null;
      return {
        sizeBytes,
        async *read() {
          yield Buffer.from(text, "base64");
        },
      };
    },
    async forget(conversation, id) {
      await drop("of", digest(conversation), ...(id === undefined ? [] : [digest(id)]));
    },
    sweep: (keptMs) => drop("old", keptMs),
    async usage() {
      const [files, bytes] = (await run("media_usage", [now()], "brief")) as [number, number];
      return { files, bytes };
    },
  };
  return media;
}

async function gathered(bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > bytesMax) throw new MediaRefused("too-large", `Larger than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
