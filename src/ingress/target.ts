/**
 * Routes are found by the bytes of a path as they came. A proxy decides by those what it lets through, so whatever
 * would only become another path when it is resolved or decoded is refused: a dot segment, a doubled slash, an escape
 * of what needs none. Says what is wrong; undefined when nothing is.
 */
export function wrongPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "Expected a target that begins with /, got another form";
  if (!PATH.test(path)) return "Expected a path of URL characters, got others";
  if (path.includes("//") || DOT_SEGMENT.test(path))
    return "Expected a path without doubled slashes and dot segments, got one with them";
  if (path.includes("%") && path.split("/").some(hasWrongEscape))
    return "Expected escapes only of what needs them, got others";
  return undefined;
}

const PATH = /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._~!$&'()*+,;=:@/-]*)*$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
/** `/api/v1/events/<id>`: an id may hold a slash, as those of base64 do. */
const ID_SEGMENT = 4;
const SLASH = 0x2f;

function hasWrongEscape(segment: string, index: number): boolean {
  for (const [, hex = ""] of segment.matchAll(/%(..)/g)) {
    const byte = Number.parseInt(hex, 16);
    if (byte === SLASH ? index !== ID_SEGMENT : needsNoEscape(byte)) return true;
  }
  return DOT_SEGMENT.test(`/${segment.replaceAll(/%2f/gi, "/")}`);
}

/** Unreserved characters need none; backslashes and control characters are in no path of ours. */
function needsNoEscape(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f || /[A-Za-z0-9._~\\-]/.test(String.fromCharCode(byte));
}
