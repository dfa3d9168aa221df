import type { Secret } from "./secret.ts";

/** How Amazon Bedrock is reached, and by whom. */
export interface BedrockAccess {
  readonly region: string;
  /** Default: that of the region. */
  readonly baseUrl: string | null;
  /** A key of Bedrock's own. It comes before those of AWS. */
  readonly apiKey: Secret | null;
  /** Null: what the process is given by AWS itself, such as a role of its pod or machine. */
  readonly keys: {
    readonly accessKeyId: Secret;
    readonly secretAccessKey: Secret;
    readonly sessionToken: Secret | null;
  } | null;
}
