/** `127.0.0.1`, `::1` and their like: an address that only this machine reaches. */
const ADDRESS = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;
/** What a browser or client writes as the host of such an address, with or without a port. */
const HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

export function isLoopbackAddress(address: string): boolean {
  return ADDRESS.test(address);
}

export function isLoopbackHost(host: string): boolean {
  return HOST.test(host);
}

/** What is listened on as `host` is reached from this machine alone. */
export function isLoopbackBind(host: string): boolean {
  return isLoopbackHost(host) || isLoopbackAddress(host);
}
