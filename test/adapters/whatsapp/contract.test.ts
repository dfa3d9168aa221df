import { whatsAppSampler } from "../../../adapters/whatsapp/sample.ts";
import { REASONS } from "../../../adapters/whatsapp/verify.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { fakeWhatsApp } from "../../fakes/whatsapp.ts";
import { ACCESS_TOKEN, APP_SECRET, adapterOf, VERIFY_TOKEN } from "./setup.ts";

adapterContract("whatsapp", {
  async setUp() {
    const options = { accessToken: ACCESS_TOKEN, appSecret: APP_SECRET, phoneNumberId: "PN1" };
    const fake = await fakeWhatsApp(options);
    return {
      fake,
      adapter: adapterOf({ apiUrl: fake.url }),
      textOf: (part) => (JSON.parse(part) as { body: string }).body,
      said: () =>
        fake.messages.map(({ phoneNumberId, body }) => ({
          place: phoneNumberId,
          text: (body.text as { body: string }).body,
        })),
    };
  },
  sampler: whatsAppSampler,
  eventKinds: ["message", "button", "list", "image"],
  secret: APP_SECRET,
  otherSecret: "appsecret2",
  authHeaders: ["x-hub-signature-256"],
  reasons: Object.values(REASONS),
  signsBody: true,
  textCharsMax: 4_096,
  liveMentions: [],
  rateLimited: (seconds) => ({
    status: 429,
    headers: { "retry-after": String(seconds) },
    body: { error: { message: "(#130429) Rate limit hit", type: "OAuthException", code: 130429 } },
  }),
  rejected: {
    status: 400,
    body: { error: { message: "(#131026) Undeliverable", type: "OAuthException", code: 131026 } },
  },
  refused: [{ status: 401, body: { error: { message: "Expired", type: "OAuthException", code: 190 } } }],
  credentials: [ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN],
});
