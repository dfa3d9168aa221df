/** Tests run what production runs, which also starts in half the time. Vitest calls it once before all of them. */
export default async function setup(): Promise<void> {
  const { compile } = (await import(new URL("../../bin/compile.js", import.meta.url).href)) as Compiler;
  if (!(await compile()))
    throw new Error("Expected the sources to compile; `npm run build` shows why they do not");
}

interface Compiler {
  /** False: there is nothing compiled to run. */
  readonly compile: () => Promise<boolean>;
}
