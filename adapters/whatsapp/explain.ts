import type { PlatformWords } from "../../src/ports/platform.ts";

export const WORDS: PlatformWords = {
  sender: "Meta",
  secret: "Compare WHATSAPP_APP_SECRET with the App Secret on the app's page Basic settings",
  handshake: "Type the value of WHATSAPP_VERIFY_TOKEN into Meta's form of the webhook",
  ignored: {
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
  },
};
