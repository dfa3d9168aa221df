// Exits 0 while the gateway in this container answers /health. For HEALTHCHECK, where there is no shell or curl.
const port = process.env.PARLEY_PORT || process.env.PORT || "8080";
try {
  const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(5000) });
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
