/** What the bot may do in a server, or in a channel: https://discord.com/developers/docs/topics/permissions */
export const PERMISSIONS = {
  administrator: 1n << 3n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  createPublicThreads: 1n << 35n,
  sendMessagesInThreads: 1n << 38n,
} as const;

/** Whether embeds are shown, as Discord tells what the bot may do; where it does not tell, they may be. */
export function mayEmbed(permissions: unknown): boolean {
  if (typeof permissions !== "string" || !/^\d{1,40}$/.test(permissions)) return true;
  return (BigInt(permissions) & (PERMISSIONS.administrator | PERMISSIONS.embedLinks)) !== 0n;
}
