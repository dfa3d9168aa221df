import type { Platform, ReplyAddress } from "../src/domain/event.ts";
import type { ReplyPart } from "../src/domain/reply.ts";

/** What an adapter's `render` does, without the adapter: needs no settings, so that a thread can do it. */
export type Renderer = (markdown: string, to: ReplyAddress) => readonly ReplyPart[];

/** The platforms whose dialect takes work. Each is loaded when it is needed. */
const LOADERS: Readonly<Partial<Record<Platform, () => Promise<Renderer>>>> = {
  slack: async () => (await import("./slack/render.ts")).renderReply,
  discord: async () => (await import("./discord/render.ts")).renderReply,
  telegram: async () => (await import("./telegram/render.ts")).renderReply,
  whatsapp: async () => (await import("./whatsapp/render.ts")).renderReply,
};

export function hasRenderer(platform: Platform): boolean {
  return platform in LOADERS;
}

export async function loadRenderer(platform: Platform): Promise<Renderer> {
  const load = LOADERS[platform];
  if (load === undefined) throw new Error(`Expected a platform with a dialect, got ${platform}`);
  return await load();
}
