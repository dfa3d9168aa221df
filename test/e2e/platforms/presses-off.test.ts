import { afterAll, beforeAll, expect, it } from "vitest";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "../gateway-process.ts";
import { CHAT_PLATFORMS, deliver, openPlatforms, type Platforms, webhook } from "../platforms.ts";

const OFF = CHAT_PLATFORMS.map((name) => `${name}: { buttons: ignore }`).join(", ");

let platforms: Platforms;
let gateway: GatewayProcess;
beforeAll(async () => {
  platforms = await openPlatforms();
  const config = configFolder(`${NO_LIMITS}  platforms: { ${OFF} }\n`);
  gateway = await startGateway({ dataDir: temporaryFolder(), config, env: platforms.env });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await platforms[Symbol.asyncDispose]();
});

it.each(CHAT_PLATFORMS)(
  "a press that is turned off runs nothing on %s, and leaves nobody waiting",
  async (platform) => {
    const pressed = await deliver(gateway.url, webhook(platform, { kind: "button", text: "again" }));
    expect(pressed.status).toBe(200);
    await gateway.logged(new RegExp(`"platform":"${platform}","outcome":"ignored","reason":"buttons_off"`));
    // Discord shows nothing more on the answer itself.
    if (platform === "discord") expect(JSON.parse(pressed.text)).toEqual({ type: 6 });
    const fake = platforms[platform];
    const isSign = ({ path }: { path: string }) => path.endsWith("/answerCallbackQuery");
    if (platform === "telegram") await fake.waitFor(isSign);
    // What is said next is the first that is said.
    await deliver(gateway.url, webhook(platform, { text: "hello" }));
    await fake.waitFor(({ body }) => /You.said/.test(body));
    expect(fake.calls.filter(isSign)).toHaveLength(platform === "telegram" ? 1 : 0);
    expect(fake.calls.filter(({ body }) => body.includes("again"))).toEqual([]);
  },
);
