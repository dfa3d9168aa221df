// What each of several processes runs (`serve --processes`): its number is its only argument.
import process from "node:process";

// From its first line on: a terminal says it to all of us. What it asks for is read at the start anyway.
process.on("SIGHUP", () => {});
const { serveSupervised } = await import("./main.ts");
// A gateway that failed half-way may have left a thread that would keep the process.
process.exit(await serveSupervised(Number(process.argv[2])));
