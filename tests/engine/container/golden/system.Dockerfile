# get generic-sys-util _cmake
FROM docker.io/library/python:3.11-slim-bookworm@sha256:0000000000000000000000000000000000000000000000000000000000000000
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    CM4BENCH_HOME=/opt/cm4bench-home
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 cm4bench && install -d -m 0777 -o cm4bench /opt/cm4bench-home
COPY repos /opt/repos
COPY packages /opt/packages
USER 1000
RUN umask 0000 && /opt/repos/cm4bench/cm version script
WORKDIR /tmp
ENTRYPOINT ["/opt/repos/cm4bench/cmr"]
