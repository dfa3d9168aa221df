// What `npm start` runs: the gateway compiled, as it is shipped, which takes a third less memory than running the
// sources does. Compiles what has changed first; without the compiler it takes what is there.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

if (existsSync(compiler) && existsSync(fileURLToPath(new URL("../src", import.meta.url)))) {
  const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
  });
  // Sources with type errors still run; the compiler has said what it thinks of them.
  process.env.PARLEY_RUN = status === 0 ? "compiled" : "sources";
} else process.env.PARLEY_RUN = "compiled";

await import("./parley.js");
