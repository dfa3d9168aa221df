import { describe, expect, it } from "vitest";
import * as discord from "../../adapters/discord/address.ts";
import * as slack from "../../adapters/slack/address.ts";
import * as telegram from "../../adapters/telegram/address.ts";
import type { Place } from "../../src/ports/adapter.ts";

const place: Place = { tenant: "T1", channel: "C1", thread: null, eventId: "x" };

describe("the address of a place that an operator names", () => {
  it("is on Slack a channel of a workspace, or a thread of it", () => {
    expect(slack.readAddress(slack.placeAddress(place))).toEqual({
      ...{ kind: "message", tenant: "T1", channel: "C1", threadTs: null },
    });
    const to = slack.placeAddress({ ...place, thread: "1717000001.000100" });
    expect(slack.readAddress(to)).toMatchObject({ threadTs: "1717000001.000100" });
  });

  it("is on Discord a channel or a thread of a server, and nothing that is no id", () => {
    const read = (changes: Partial<Place>) => {
      const minted = discord.placeAddress({ ...place, ...changes });
      return minted === null ? null : discord.readAddress(minted);
    };
    expect(read({ tenant: "10", channel: "11" })).toMatchObject({ channelId: "11", guildId: "10" });
    expect(read({ tenant: "10", channel: "11", thread: "12" })).toMatchObject({ channelId: "12" });
    expect(read({ tenant: "dm", channel: "11" })).toMatchObject({ channelId: "11", guildId: null });
    expect(read({ channel: "general" })).toBeNull();
  });

  it("is on Telegram a chat or a topic of it, and nothing that is no id", () => {
    const read = (changes: Partial<Place>) => {
      const minted = telegram.placeAddress({ ...place, ...changes });
      return minted === null ? null : telegram.readAddress(minted);
    };
    expect(read({ channel: "-1002" })).toEqual({ kind: "message", chatId: "-1002", isPrivate: false });
    expect(read({ channel: "30" })).toMatchObject({ isPrivate: true });
    expect(read({ channel: "-1002", thread: "7" })).toMatchObject({ messageThreadId: 7 });
    expect([read({ channel: "@channel" }), read({ channel: "-1002", thread: "x" })]).toEqual([null, null]);
  });
});
