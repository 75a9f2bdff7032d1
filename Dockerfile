# syntax=docker/dockerfile:1
# An image of `cipo serve`. Build: docker build --tag cipo-serve .   Usage: docs/guide/serve.md
# Debian, because isolated-vm has prebuilt binaries for glibc. Node 24 is the version that the packages require.
ARG NODE_IMAGE=node:24-slim

# Builds the packages, packs them, and installs the tarballs as a user would.
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY . .
RUN npx -y pnpm@12.21.0 install --frozen-lockfile --reporter=append-only \
  && npm run pack:all
WORKDIR /app
# No package needs its install script: isolated-vm and @swc/core ship prebuilt binaries.
RUN echo '{ "private": true }' > package.json \
  && npm install --ignore-scripts --no-audit --no-fund --install-strategy=hoisted /src/release/*.tgz
# Makes the memory snapshot of Python (30 MB) once: a container with a read-only root would make it at every start.
RUN echo '{"language":"python","tests":{"type":"stdio","cases":[{"input":"","output":"1"}]},"response":"print(1)"}' > row.jsonl \
  && XDG_CACHE_HOME=/app/cache node node_modules/@cipo/cli/bin/cipo.js verify row.jsonl \
  && rm row.jsonl

# Contains Node and the installed packages. Leaves out: sources, pnpm and build tools.
FROM ${NODE_IMAGE}
ENV NODE_ENV=production XDG_CACHE_HOME=/app/cache
WORKDIR /app
COPY --from=build /app ./
# The user "node" of the base image, by number so that Kubernetes can check runAsNonRoot. /app stays owned by root.
USER 1000:1000
EXPOSE 8377
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8377/healthz').then((reply) => process.exit(reply.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "node_modules/@cipo/cli/bin/cipo.js"]
# The server refuses to listen on 0.0.0.0 without a token: pass one in CIPO_TOKEN, or more with --token-file.
CMD ["serve", "--host", "0.0.0.0", "--port", "8377"]
