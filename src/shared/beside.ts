/**
 * The address of another module in the folder of this one, to start a thread with or to import there: the source in
 * development, the compiled one in the image. `name` is without its ending.
 */
export function besideModule(here: string, name: string): string {
  return new URL(`./${name}${here.endsWith(".ts") ? ".ts" : ".js"}`, here).href;
}
