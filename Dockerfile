# syntax=docker/dockerfile:1
# Built on slim, run on distroless: no shell, no package manager, no sources, not root.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY bin ./bin
COPY src ./src
COPY adapters ./adapters
# The compiler is an optional package of its platform, and so is Node 24, which the base image has already (189 MB):
# both go only after the build.
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts
# A folder that the unprivileged user may write, for the volume to start from.
RUN mkdir -p /data && chown 65532:65532 /data

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
ENV NODE_ENV=production \
    PARLEY_HOST=0.0.0.0 \
    PARLEY_DATA_DIR=/data
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY bin ./bin
COPY config ./config
COPY --from=build --chown=65532:65532 /data /data
USER 65532:65532
VOLUME ["/data"]
EXPOSE 8080
# Exec form: there is no shell here. The script asks /health on the port that the gateway listens on.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["/nodejs/bin/node", "bin/healthcheck.js"]
# Node is PID 1 and handles SIGTERM and SIGINT itself, also for the children of `serve --processes`.
ENTRYPOINT ["/nodejs/bin/node", "bin/parley.js"]
CMD ["serve"]
