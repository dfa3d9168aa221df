import { whatsAppSampler } from "../../../adapters/whatsapp/sample.ts";
import { REASONS } from "../../../adapters/whatsapp/verify.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { fakeWhatsApp } from "../../fakes/whatsapp.ts";
import { PRESSES } from "../../support/presses.ts";
import { ACCESS_TOKEN, APP_SECRET, adapterOf, VERIFY_TOKEN } from "./setup.ts";

adapterContract("whatsapp", {
  async setUp() {
    const options = { accessToken: ACCESS_TOKEN, appSecret: APP_SECRET, phoneNumberId: "PN1" };
    const fake = await fakeWhatsApp(options);
    return {
      fake,
      adapter: adapterOf({ apiUrl: fake.url }),
      textOf: (part) => {
        const { body, file } = JSON.parse(part) as { body: string; file?: object };
        return file === undefined ? body : null;
      },
      files: () =>
        [...fake.documents, ...fake.pictures.map(({ text }) => ({ name: "picture", text }))].map(
          ({ name, text }) => ({ place: "PN1", name, text }),
        ),
      refuseFiles: () => fake.refuseMedia(),
      said: () =>
        fake.messages.map(({ phoneNumberId, body }) => ({
          place: phoneNumberId,
          text:
            ((body.text ?? interactiveOf(body).body) as { body?: string; text?: string } | undefined)?.body ??
            "",
        })),
      buttons: () =>
        fake.messages.map(({ body }) =>
          [
            ...(interactiveOf(body).action?.buttons ?? []).map(({ reply }) => reply),
            ...(interactiveOf(body).action?.sections ?? []).flatMap(({ rows }) => rows),
          ].map(({ id, title: label }) => ({ id, label })),
        ),
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
  filesOver: 20_000,
  liveMentions: [],
  buttons: {
    max: 10,
    press: ({ id: buttonId, label }) =>
      PRESSES.whatsapp({ buttonId, label, id: buttonId, nowMs: 1_780_000_000_000, secret: APP_SECRET }),
  },
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

interface Row {
  readonly id: string;
  readonly title: string;
}

interface Interactive {
  readonly body?: { readonly text: string };
  readonly action?: {
    readonly buttons?: { readonly reply: Row }[];
    readonly sections?: { readonly rows: readonly Row[] }[];
  };
}

function interactiveOf(body: Readonly<Record<string, unknown>>): Interactive {
  return (body.interactive ?? {}) as Interactive;
}
