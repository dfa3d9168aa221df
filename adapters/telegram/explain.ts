import type { PlatformWords } from "../../src/ports/platform.ts";

export const WORDS: PlatformWords = {
  sender: "Telegram",
  secret: "Compare TELEGRAM_WEBHOOK_SECRET with the secret_token that setWebhook was given",
  ignored: {
    business: "It came through a business account. The bot answers only chats of its own.",
    chat_migrated: "The group became a supergroup. It goes on under its new id.",
    service_message: "The chat itself has changed: a member, a title, a pin. There is nothing to answer.",
    channel_post: "It is a post of a channel, not a message to the bot.",
    album_part: "It is one of several files that were sent together. The one with the words is answered.",
    other_bot_command: "It is a command to another bot: the name after the @ is not this bot's.",
    button_without_data: "The button that was pressed carries no data.",
    inline_button:
      "The button stands under a message that was sent through inline mode, to a chat the bot is not in.",
    message_reaction: "Somebody reacted with an emoji. Reactions start no run.",
    message_reaction_count: "Reactions to an anonymous message changed in number.",
    inline_query:
      "Somebody types the bot's name in another chat. Inline mode is not served; turn it off at @BotFather.",
    chosen_inline_result: "Somebody chose a result of inline mode, which is not served.",
    shipping_query: "It is about an order. Payments are not served.",
    pre_checkout_query: "It is about an order. Payments are not served.",
    purchased_paid_media: "Somebody bought media of the bot.",
    poll: "A poll has changed.",
    poll_answer: "Somebody voted in a poll.",
    my_chat_member: "The bot was added, removed, blocked or given other rights.",
    chat_member: "Somebody joined or left the chat, or was given other rights.",
    chat_join_request: "Somebody asks to join the chat.",
    chat_boost: "Somebody boosted the chat.",
    removed_chat_boost: "A boost of the chat has ended.",
    guest_message: "It came from a chat that the bot is only a guest of.",
    managed_bot: "It is about a bot that this one manages.",
    unknown_update: "It is a kind of update that Parley does not know.",
  },
};
