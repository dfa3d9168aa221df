import type { IgnoredReason } from "../domain/ignored.ts";

/** What it means that a message was ignored for this reason, and what to do where that was not meant. */
export const IGNORED_WORDS: Readonly<Record<IgnoredReason, string>> = {
  not_addressed:
    "The bot was not named, and the conversation is none that it takes part in. Mention it, answer one of its " +
    "messages, or set respond_to of the platform in gateway.yaml to `all`.",
  bot: "It was said by a bot. To answer bots, name them in access.bots of the platform.",
  own_message: "It is one of the bot's own messages, come back.",
  system: "The platform itself said it, not a person.",
  edit: "Somebody changed a message. Changes start no new run.",
  buttons_off:
    "Something was pressed or a form was sent, and buttons of the platform in gateway.yaml is set to `ignore`.",
  link_button: "Somebody pressed a button that opens a page. That starts no run.",
  form_input: "Somebody filled in a part of a form. It runs when the form is sent, with what was filled in.",
  empty: "The request held no message.",

  // Slack
  message_deleted: "Somebody deleted a message.",
  message_replied: "Slack tells that a thread was answered; the answer itself came as a message of its own.",
  channel_join: "Somebody joined the channel.",
  channel_leave: "Somebody left the channel.",
  channel_topic: "Somebody changed the topic of the channel.",
  channel_purpose: "Somebody changed the purpose of the channel.",
  bot_add: "Somebody added a bot to the channel.",
  bot_remove: "Somebody removed a bot from the channel.",
  reaction_added: "Somebody reacted with an emoji. Reactions start no run.",
  reaction_removed: "Somebody took a reaction back.",
  app_home_opened: "Somebody opened the app's home. Nothing is shown there.",
  app_rate_limited:
    "Slack has sent so many events that it leaves some out. Subscribe to fewer, in the app's settings.",
  app_uninstalled:
    "The app was removed from the workspace. Install it again, and set the new SLACK_BOT_TOKEN.",
  tokens_revoked: "Slack has revoked the app's tokens. Install it again, and set the new SLACK_BOT_TOKEN.",
  assistant_thread_started: "Somebody opened the assistant's pane. The bot answers when something is said.",
  assistant_thread_context_changed: "Somebody looks at another channel beside the assistant's pane.",
  agent_session_stopped: "Somebody closed the assistant's pane.",
  view_closed: "Somebody closed a form without submitting it.",
  block_suggestion: "Slack asks for choices to a list; there are none.",

  other_application:
    "It was meant for another app of the platform. Compare DISCORD_APPLICATION_ID, or SLACK_APP_ID, with the app's page.",

  // Discord
  app_event: "Discord tells of the app itself, such as its installation.",
  unknown_command_type: "It is a kind of command that Parley does not know.",

  // Telegram
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

  // WhatsApp
  other_object:
    "It is not about a WhatsApp business account. Look at the app's webhook subscriptions at Meta.",
  other_field:
    "It is about another field than `messages`. Subscribe the webhook to `messages` alone, at Meta.",
  other_phone_number:
    "It came to another phone number of the account. Compare WHATSAPP_PHONE_NUMBER_ID with Meta's page of the number.",
  platform_error: "Meta tells of an error of its own. Its page of the app has the details.",
  group_message: "It was said in a WhatsApp group. The bot answers only people.",
  reaction: "Somebody reacted with an emoji. Reactions start no run.",
  unsupported: "It is of a kind that the Cloud API does not pass on, such as a poll.",
  revoke: "Somebody deleted a message.",
  order: "It is an order from the catalogue without words.",
  unknown_type: "It is a kind of message that Parley does not know.",
  status_sent: "WhatsApp tells that a message of the bot was sent.",
  status_delivered: "WhatsApp tells that a message of the bot was delivered.",
  status_read: "WhatsApp tells that a message of the bot was read.",
  status_played: "WhatsApp tells that a voice message of the bot was played.",
  status_deleted: "WhatsApp tells that a message of the bot was deleted.",
  status_failed: "WhatsApp could not deliver a message of the bot. Meta's page of the app says why.",
  status_other: "WhatsApp tells of a message of the bot, in a word that Parley does not know.",
  malformed_entry: "A part of the request is not in the shape that Meta documents.",
  malformed_change: "A part of the request is not in the shape that Meta documents.",
  malformed_message:
    "The message is not in the shape that the platform documents, so nothing can be read from it.",
};
