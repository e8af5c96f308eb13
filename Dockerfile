# The emulator as a sidecar. docs/docker.md says how to run it.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
# The version is the distribution's: strip is needed here only, and stays here.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends binutils \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY schemas/ schemas/
COPY fixtures/ fixtures/
COPY emulator/ emulator/
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel . \
 && python -m venv --without-pip /opt/emulator \
 && pip --python /opt/emulator/bin/python install --no-cache-dir --no-compile /wheel/*.whl
COPY docker/trim.sh docker/compile.py docker/
RUN sh docker/trim.sh /opt/emulator \
 && /opt/emulator/bin/python docker/compile.py /opt/library

FROM python:${PYTHON}-slim
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ksyun-baidu-emulator" \
      org.opencontainers.image.description="A local emulator of Kingsoft KVS transcoding and Baidu iOCR, for tests" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/emulator /opt/emulator
COPY --from=build /opt/library /usr/local/lib
# What may be mounted. The certificate authority is kept where any user may write, in a file that only he may read.
RUN mkdir -p /etc/emulator/rules /etc/emulator/fixtures /etc/emulator/schemas \
             /etc/emulator/init/ready.d /etc/emulator/init/shutdown.d /var/lib/emulator \
 && chmod 1777 /var/lib/emulator
ENV PATH=/opt/emulator/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    EMULATOR_HOST=0.0.0.0 \
    EMULATOR_FOLDER=/etc/emulator \
    EMULATOR_CA_DIR=/var/lib/emulator
WORKDIR /etc/emulator
USER 10001:10001
EXPOSE 8640
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=2s --timeout=5s --start-period=60s --retries=3 CMD ["emulator", "healthcheck"]
ENTRYPOINT ["emulator"]
CMD ["serve"]
