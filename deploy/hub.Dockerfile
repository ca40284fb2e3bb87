# syntax=docker/dockerfile:1
# The hub, from the repository's top, for both kinds of processor:
#   docker buildx build --platform linux/amd64,linux/arm64 -f deploy/hub.Dockerfile -t aerocast-hub .
# Nothing is compiled: every dependency of the hub has wheels for amd64 and arm64.
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 VIRTUAL_ENV=/opt/aerocast
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9 \
 && uv venv --python /usr/local/bin/python3 /opt/aerocast
WORKDIR /build
COPY requirements.lock ./
COPY protocols protocols
COPY hub hub
# The lock pins all that AeroCast can use; as constraints it lets in only what the hub asks for,
# each at its pinned version, and refuses a file whose hash is another.
ARG EXTRAS=bufr,iwxxm,redis,amqp,telemetry
RUN uv pip install --constraints requirements.lock ./protocols "./hub[${EXTRAS}]"

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="AeroCast hub" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
# A number, so that Kubernetes can see that it is not root.
RUN groupadd --system --gid 10001 aerocast \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/aerocast-hub --shell /usr/sbin/nologin aerocast \
 && install --directory --owner aerocast --group aerocast --mode 0750 /var/lib/aerocast-hub
COPY --from=build /opt/aerocast /opt/aerocast
ENV PATH=/opt/aerocast/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    AEROCAST_HUB_DATA_DIR=/var/lib/aerocast-hub AEROCAST_HUB_HTTP_HOST=0.0.0.0 \
    AEROCAST_HUB_HTTP_PORT=8000
USER 10001:10001
WORKDIR /var/lib/aerocast-hub
VOLUME ["/var/lib/aerocast-hub"]
EXPOSE 8000 8001 8002 8003 8004
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['AEROCAST_HUB_HTTP_PORT'] + '/health', timeout=4)"]
ENTRYPOINT ["aerocast-hub"]
CMD ["serve"]
