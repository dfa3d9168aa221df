import nacl from "tweetnacl";
import { createVerifier } from "../../adapters/discord/verify.ts";
import type { RawRequest } from "../../src/ports/adapter.ts";
import { median } from "./drive.ts";
import { fastDiscordSampler, KEYS, secretsOf } from "./secrets.ts";

export interface VerifyCost {
  readonly parleyMicros: number;
  readonly tweetnaclMicros: number;
  /** How many times faster, median over the rounds. */
  readonly ratio: number;
}

/** The Discord verifier against tweetnacl on the same signed requests, taking turns. */
export function benchVerify({ rounds }: { rounds: number }): VerifyCost {
  const publicKeyHex = secretsOf().DISCORD_PUBLIC_KEY ?? "";
  const publicKey = new Uint8Array(Buffer.from(publicKeyHex, "hex"));
  const verify = createVerifier([publicKeyHex]);
  const { headers, body } = fastDiscordSampler.build({
    kind: "slash",
    text: "hello",
    id: "000001",
    nowMs: Date.now(),
    secret: KEYS.discordSeed,
    channel: "20",
  });
  const request: RawRequest = {
    method: "POST",
    target: "/webhooks/discord",
    header: (name) => headers[name],
    body: Buffer.from(body),
    receivedAtMs: Date.now(),
    fromLoopback: true,
  };
  const message = new Uint8Array(Buffer.from((headers["x-signature-timestamp"] ?? "") + body));
  const signature = new Uint8Array(Buffer.from(headers["x-signature-ed25519"] ?? "", "hex"));

  const timings = Array.from({ length: rounds }, () => ({
    parley: micros(300, () => verify(request).kind === "genuine"),
    tweetnacl: micros(10, () => nacl.sign.detached.verify(message, signature, publicKey)),
  }));
  return {
    parleyMicros: median(timings.map(({ parley }) => parley)),
    tweetnaclMicros: median(timings.map(({ tweetnacl }) => tweetnacl)),
    ratio: median(timings.map(({ parley, tweetnacl }) => tweetnacl / parley)),
  };
}

function micros(times: number, verify: () => boolean): number {
  const startedAt = performance.now();
  for (let i = 0; i < times; i++) if (!verify()) throw new Error("A genuine signature was refused");
  return ((performance.now() - startedAt) * 1000) / times;
}
