import { PLATFORMS } from "../domain/event.ts";

/** For the examples of help: any platform would do. */
export const A_PLATFORM = PLATFORMS[0];
export const AN_EVENT = `${A_PLATFORM}:T024BE7LD:C061EG9SL:1717.0001`;
