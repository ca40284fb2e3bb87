# syntax=docker/dockerfile:1
# The gateway's agent, for gateways that run containers (otherwise: the systemd unit), from the top:
#   docker buildx build --platform linux/amd64,linux/arm64 -f deploy/agent.Dockerfile -t aerocast-agent .
# Give it its devices (--device /dev/ttyUSB0) and keep /var/lib/aerocast on a disk that lasts.
ARG PYTHON=3.12-slim-bookworm

FROM python:${PYTHON} AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 VIRTUAL_ENV=/opt/aerocast
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9 \
 && uv venv --python /usr/local/bin/python3 /opt/aerocast
WORKDIR /build
COPY requirements.lock ./
COPY protocols protocols
COPY agent agent
ARG EXTRAS=zstd,ble,sdr
RUN uv pip install --constraints requirements.lock ./protocols "./agent[${EXTRAS}]"

FROM python:${PYTHON}
LABEL org.opencontainers.image.title="AeroCast agent" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
# In the group that owns serial ports on Debian and its like (dialout, 20).
RUN groupadd --system --gid 10001 aerocast \
 && useradd --system --uid 10001 --gid 10001 --groups dialout --home-dir /var/lib/aerocast --shell /usr/sbin/nologin aerocast \
 && install --directory --owner aerocast --group aerocast --mode 0750 /var/lib/aerocast /etc/aerocast
COPY --from=build /opt/aerocast /opt/aerocast
ENV PATH=/opt/aerocast/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/aerocast
VOLUME ["/var/lib/aerocast"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["aerocast-agent", "status", "--json"]
ENTRYPOINT ["aerocast-agent"]
CMD ["run"]
