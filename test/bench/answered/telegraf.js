// An echo bot of Telegraf, as its documentation has it, with a webhook and its secret token.
import { Agent, createServer } from "node:http";
import { Telegraf } from "telegraf";

const bot = new Telegraf(process.env.TELEGRAM_BOT_TOKEN, {
  // Without this, Telegraf says the answer in its response to the webhook, and never learns what became of it.
  telegram: { apiRoot: process.env.TELEGRAM_API_ROOT, webhookReply: false },
});
// It keeps its connections to https, as it would talk to Telegram, and none to http: without this, it would make a new
// one for each message, which costs it about half as much again.
const kept = new Agent({ keepAlive: true });
bot.use((context, next) => {
  context.telegram.options.agent = kept;
  return next();
});
bot.on("message", (context) => context.reply(`You said: ${context.message.text}`));
const webhook = bot.webhookCallback("/webhooks/telegram", {
  secretToken: process.env.TELEGRAM_WEBHOOK_SECRET,
});
const server = createServer((request, response) => void webhook(request, response));
// As behind a proxy: a connection that waits for a reply must not be closed as idle.
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
