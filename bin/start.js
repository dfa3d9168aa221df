// What `npm start` runs: the gateway compiled, as it is shipped, which takes a third less memory than running the
// sources does. Sources that do not compile still run; the compiler has said what it thinks of them.
import process from "node:process";
import { compile } from "./compile.js";
import { needPackages } from "./installed.js";

needPackages();

process.env.PARLEY_RUN = (await compile()) ? "compiled" : "sources";
await import("./parley.js");
