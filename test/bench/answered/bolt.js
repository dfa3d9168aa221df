// An echo bot of Slack Bolt, as its documentation has it: signatures verified, the call through its own client.
// JavaScript, as bots of both libraries mostly are; its address and secrets come from the environment.
import { App, HTTPReceiver, LogLevel } from "@slack/bolt";

const receiver = new HTTPReceiver({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  endpoints: "/webhooks/slack",
  logLevel: LogLevel.WARN,
});
const app = new App({
  receiver,
  token: process.env.SLACK_BOT_TOKEN,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
  logLevel: LogLevel.WARN,
});
app.message(async ({ message, say }) => {
  await say({ text: `You said: ${message.text}` });
});
app.event("app_mention", async ({ event, say }) => {
  await say({ text: `You said: ${event.text}`, thread_ts: event.ts });
});
const server = await app.start({ port: 0, host: "127.0.0.1" });
// As behind a proxy: a connection that waits for a reply must not be closed as idle.
server.keepAliveTimeout = 65_000;
console.log(`listening ${server.address().port}`);
