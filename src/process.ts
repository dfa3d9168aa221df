// What each of several processes runs (`serve --processes`): its number is its only argument.
import process from "node:process";
import { serveSupervised } from "./main.ts";

// A gateway that failed half-way may have left a thread that would keep the process.
process.exit(await serveSupervised(Number(process.argv[2])));
