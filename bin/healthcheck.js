// Exits 0 while the gateway in this container answers /health. For HEALTHCHECK, where there is no shell or curl.
const port = process.env.PARLEY_PORT || process.env.PORT || "8080";
try {
  // Somebody else's answer, wherever this one leads, says nothing about us.
  const init = { redirect: "manual", signal: AbortSignal.timeout(5000) };
  const response = await fetch(`http://127.0.0.1:${port}/health`, init);
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
