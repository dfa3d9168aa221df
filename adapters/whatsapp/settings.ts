import { z } from "zod";
import type { EnvReader } from "../../src/ports/env-reader.ts";
import type { PlatformSettings } from "../../src/ports/platform.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { atLeast, ID, plain, secret, TOKEN } from "../../src/shared/variable.ts";
import { asList, withoutSlash } from "../shared/settings.ts";

export interface WhatsAppSettings extends PlatformSettings {
  readonly accessToken: Secret;
  /** One at most, of two values during a rotation. */
  readonly appSecrets: readonly Secret[];
  readonly verifyToken: Secret;
  readonly phoneNumberId: string;
  readonly apiUrl: string | null;
}

export const VARIABLES = [
  secret(
    "WHATSAPP_APP_SECRET",
    "Checks that a request comes from WhatsApp; at least 16 characters; two during a rotation",
    { form: atLeast(16), isPair: true },
  ),
  secret(
    "WHATSAPP_VERIFY_TOKEN",
    "Answers the handshake when the webhook is set up; at least 16 characters",
    { form: atLeast(16, "any"), isOwn: true },
  ),
  secret("WHATSAPP_ACCESS_TOKEN", "Sends to WhatsApp", { form: TOKEN }),
  plain("WHATSAPP_PHONE_NUMBER_ID", "The number to send from", { form: ID }),
  plain("WHATSAPP_API_URL", "Where the WhatsApp API is. Default https://graph.facebook.com"),
];

export const NEEDS = [
  "WHATSAPP_ACCESS_TOKEN",
  "WHATSAPP_APP_SECRET",
  "WHATSAPP_VERIFY_TOKEN",
  "WHATSAPP_PHONE_NUMBER_ID",
];

export const API_URL = "https://graph.facebook.com";

export function readSettings(env: EnvReader): WhatsAppSettings | null {
  const accessToken = env.secret("WHATSAPP_ACCESS_TOKEN");
  const appSecrets = asList(env.guard("WHATSAPP_APP_SECRET"));
  const verifyToken = env.guard("WHATSAPP_VERIFY_TOKEN");
  const phoneNumberId = env.matching("WHATSAPP_PHONE_NUMBER_ID");
  const apiUrl = withoutSlash(env.url("WHATSAPP_API_URL"));
  if (accessToken === null || appSecrets.length === 0 || verifyToken === null || phoneNumberId === null)
    return null;
  return { kind: "on", accessToken, appSecrets, verifyToken, phoneNumberId, apiUrl };
}

export type WhatsAppOptions = z.output<z.ZodObject<typeof OPTIONS>>;
export const OPTIONS = {
  api_version: z
    .string()
    .regex(/^v\d{1,3}\.\d{1,2}$/, { error: "expected a Graph API version such as v26.0" })
    .default("v26.0"),
};
