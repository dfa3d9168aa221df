// Puts the script of the console, which runs in a browser, into one file.
import { rolldown } from "rolldown";

/** Gives the script; throws what the bundler finds wrong. */
export async function buildPage(main) {
  const bundled = await rolldown({ input: main, platform: "browser", tsconfig: false });
  const { output } = await bundled.generate({ format: "esm", minify: true, comments: false });
  await bundled.close();
  if (output.length !== 1) throw new Error(`Expected the console to be one file, got ${output.length}`);
  return output[0].code;
}
