/** Where a browser begins to install the app, and where Slack sends it back to. */
export const INSTALL = "/slack/install";
export const REDIRECT = "/slack/oauth_redirect";
