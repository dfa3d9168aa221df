import { afterEach, beforeEach, expect, it } from "vitest";
import { type FakeWhatsApp, fakeWhatsApp } from "../../fakes/whatsapp.ts";

let fake: FakeWhatsApp;
beforeEach(async () => {
  fake = await fakeWhatsApp({ accessToken: "token", appSecret: "secret", phoneNumberId: "PN1" });
});
afterEach(() => fake.close());

async function call(method: string, path: string, body?: object | FormData) {
  const response = await fetch(`${fake.url}${path}`, {
    method,
    headers: { authorization: "Bearer token" },
    ...(body && { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith("{") ? (JSON.parse(text) as object) : null };
}

const messages = (body: object) =>
  call("POST", "/v26.0/PN1/messages", { messaging_product: "whatsapp", to: "+4470", ...body });

it("the fake takes what the Cloud API takes", async () => {
  const action = { buttons: [{ type: "reply", reply: { id: "a", title: "A" } }] };
  const interactive = { type: "button", body: { text: "Deploy?" }, action };
  const sent = [
    await messages({ type: "text", text: { body: "hi" } }),
    await messages({ type: "interactive", interactive }),
    await messages({ type: "reaction", reaction: { message_id: "wamid.1", emoji: "👍" } }),
  ];
  expect(sent.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(fake.messages.map(({ body }) => body.type)).toEqual(["text", "interactive", "reaction"]);
  expect(fake.takeWebhooks()).toHaveLength(3);
  expect(fake.takeWebhooks()).toEqual([]);
});

it.each([
  ["an empty text", { type: "text", text: { body: " " } }, 100],
  ["a text of 4,097 characters", { type: "text", text: { body: "a".repeat(4_097) } }, 100],
  ["no type", {}, 131008],
  ["a type without its body", { type: "text" }, 131008],
  ["a type that there is not", { type: "hologram" }, 131009],
  ["another product", { messaging_product: "messenger", type: "text", text: { body: "hi" } }, 100],
  ["a read receipt without its message", { status: "read" }, 131008],
])("the fake refuses %s", async (_, body, code) => {
  expect(await messages(body)).toMatchObject({ status: 400, json: { error: { code } } });
  expect(fake.messages).toEqual([]);
});

it("the fake refuses what its paths do not hold", async () => {
  expect((await call("POST", "/v1.0/PN1/messages", {})).status).toBe(400);
  expect((await call("POST", "/v26.0/PN2/messages", {})).status).toBe(400);
  expect((await call("GET", "/v26.0/MEDIA9")).status).toBe(400);
  expect((await call("GET", "/media-bytes/MEDIA9")).status).toBe(404);
});

it("the fake keeps media and gives them back by a second address", async () => {
  const form = new FormData();
  form.set("messaging_product", "whatsapp");
  form.set("type", "image/jpeg");
  form.set("file", new Blob(["bytes of a file"], { type: "image/jpeg" }), "a.jpg");
  expect((await call("POST", "/v26.0/PN1/media", form)).json).toEqual({ id: "MEDIA1" });
  const { json } = await call("GET", "/v26.0/MEDIA1");
  expect(json).toMatchObject({ mime_type: "image/jpeg", id: "MEDIA1" });
  const { pathname } = new URL((json as { url: string }).url);
  expect((await call("GET", pathname)).text).toContain("bytes of a file");
  expect((await call("POST", "/v26.0/PN1/media", {})).status).toBe(400);
});
