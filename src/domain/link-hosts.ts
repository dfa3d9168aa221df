/** Hosts to which answers may link: names in small letters, `*.example.com` for those below. Any other is shown as text. */
export type LinkHosts = "any" | readonly string[];
