import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { compressed, compressedResponse } from "../../src/ingress/compress.ts";
import { jsonAnswer } from "../../src/ingress/response.ts";

const LONG = { text: "what is said twice ".repeat(100) };

it("squeezes a long answer where that is understood, and says so", async () => {
  const answer = await compressed(jsonAnswer(200, LONG, { "x-more": "1" }), "br, gzip;q=0.8");
  expect(answer).toMatchObject({
    status: 200,
    headers: {
      "content-type": "application/json",
      "content-encoding": "gzip",
      vary: "accept-encoding",
      "x-more": "1",
    },
  });
  expect(answer.body.length).toBeLessThan(200);
  expect(JSON.parse(gunzipSync(answer.body as Uint8Array).toString())).toEqual(LONG);

  const response = await compressedResponse(
    Response.json(LONG, { status: 202, headers: { "x-request-id": "r" } }),
    "gzip",
  );
  expect(response.status).toBe(202);
  expect(response.headers.get("content-encoding")).toBe("gzip");
  expect(response.headers.get("x-request-id")).toBe("r");
  expect(JSON.parse(gunzipSync(await response.arrayBuffer()).toString())).toEqual(LONG);
});

it.each([undefined, "", "br", "gzip;q=0", "gzip;q=0.0", "xgzip", "identity"])(
  "leaves it alone for whoever takes %s",
  async (accepts) => {
    const answer = jsonAnswer(200, LONG);
    expect(await compressed(answer, accepts)).toBe(answer);
    const response = Response.json(LONG);
    expect(await compressedResponse(response, accepts)).toBe(response);
  },
);

it("leaves alone what is short, and what is still being written", async () => {
  const short = jsonAnswer(200, { a: 1 });
  expect(await compressed(short, "gzip")).toBe(short);
  const answered = await compressedResponse(Response.json({ a: 1 }, { status: 404 }), "gzip");
  expect(answered.status).toBe(404);
  expect(answered.headers.get("content-encoding")).toBeNull();
  expect(await answered.json()).toEqual({ a: 1 });
  for (const type of ["text/event-stream", "application/x-ndjson", "text/html"]) {
    const stream = new Response("x".repeat(2_000), { headers: { "content-type": type } });
    expect(await compressedResponse(stream, "gzip")).toBe(stream);
  }
});
