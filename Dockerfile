# Small, not root, and made only of locked packages: requirements.lock for the program, requirements-build.lock to build it.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
# Without a pip of its own: the running image installs nothing.
RUN python -m venv --without-pip /opt/rca-bot
# The packages come before the code, so that a change of code builds in seconds.
COPY requirements.lock requirements-build.lock ./
RUN pip --python /opt/rca-bot install --require-hashes -r requirements.lock \
    && pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY rca rca
COPY runbook runbook
COPY bot bot
COPY migrations migrations
RUN pip wheel --no-build-isolation --no-deps --wheel-dir /dist . \
    && pip --python /opt/rca-bot install --no-index --no-deps /dist/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="rca-bot" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/rca-bot /opt/rca-bot
# HTTP_HOST: inside a container the loopback address would answer nobody.
ENV PATH=/opt/rca-bot/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HTTP_HOST=0.0.0.0 HTTP_PORT=8080 LOG_FORMAT=json
RUN useradd --system --uid 10001 --home-dir /var/lib/rca-bot --create-home rca-bot
# The only place the program writes to, and only with the embedded SQLite file.
WORKDIR /var/lib/rca-bot
VOLUME /var/lib/rca-bot
USER 10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['HTTP_PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["rca-bot"]
CMD ["serve"]
