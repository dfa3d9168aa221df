import { describe, expect, it } from "vitest";
import { filePlace } from "../../../adapters/shared/files.ts";

const HOSTS = {
  origins: new Set(["https://files.example.com", "https://media.example.net"]),
  isPlatforms: /(^|\.)example\.(com|net)$/,
};
const place = (given: string, apiUrl?: string) => {
  const found = filePlace(given, HOSTS, apiUrl);
  return found === null ? null : [found.url.href, found.isOperators];
};

describe("where a file is fetched", () => {
  const FILE = "https://files.example.com/a/b.txt?ex=1&hm=%20";

  it.each([undefined, "https://example.com/api/", "https://eu.example.com/api"])(
    "is only the platform's own host (API at %s)",
    (apiUrl) => {
      expect(place(FILE, apiUrl)).toEqual([FILE, false]);
      expect(place("https://media.example.net/x", apiUrl)).toEqual(["https://media.example.net/x", false]);
    },
  );

  it.each([
    "http://files.example.com/a",
    "https://files.example.com:444/a",
    "https://files.example.com.evil.org/a",
    "https://evil.org/files.example.com",
    "https://user@files.example.com/a",
    "https://user:key@files.example.com/a",
    "https://files.example.com@evil.org/a",
    "https://127.0.0.1/a",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]/a",
    "file:///etc/passwd",
    "data:text/plain,a",
    "//files.example.com/a",
    "",
  ])("is nowhere for %s", (given) => {
    expect(place(given)).toBe(null);
    expect(place(given, "http://127.0.0.1:9/api")).toBe(null);
  });

  it("is where the API was redirected to, path and query kept", () => {
    const api = "http://10.0.0.1:8080/api/";
    expect(place(FILE, api)).toEqual(["http://10.0.0.1:8080/a/b.txt?ex=1&hm=%20", true]);
    expect(place("http://10.0.0.1:8080/c", api)).toEqual(["http://10.0.0.1:8080/c", true]);
    expect(place("http://10.0.0.1:8081/c", api)).toBe(null);
    expect(place("https://files.example.org/c", api)).toBe(null);
  });
});
