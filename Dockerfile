# The two images of Preflight: `make build` makes both, or by hand `docker build --target bot .`
#
# Build arguments, all optional:
#   DEBIAN             tag of the base image, better with its digest (`make build` gives the one it knows)
#   TOOLS              what the Airflow image has beside git: some of "kubectl helm gcloud", at the versions and
#                      with the checksums in deploy/images/tools.py
#   AIRFLOW_REQUIREMENTS  another file than requirements-airflow-image.txt, `requirements-*.txt`, with hashes
#   VERSION, REVISION  what the labels say
#
# Debian's packages have no versions here: the archive keeps only the newest, so that a pinned one would soon not be
# found, and security updates are wanted (hence the ignored DL3008). Python's packages are pinned with hashes.
ARG DEBIAN=bookworm-slim

# ---- what both images have
FROM debian:${DEBIAN} AS base
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
    && groupadd --gid 10001 preflight \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --no-log-init preflight
# Last on PATH: what a step calls python3 is Debian's, not Airflow's environment.
ENV PATH=$PATH:/opt/venv/bin \
    HOME=/tmp \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1
STOPSIGNAL SIGTERM
# An init, so that signals arrive and nothing that a step left behind stays a zombie.
ENTRYPOINT ["tini", "-s", "--"]

# ---- where packages are installed; pip itself stays here
FROM base AS installer
# hadolint ignore=DL3008,DL3009
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-pip \
    && python3 -m venv --without-pip /opt/venv
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore

# Wheels only: nothing of a package runs while it is installed. pip compiles the bytecode.
FROM installer AS bot-packages
COPY requirements-bot-image.txt /requirements.txt
RUN python3 -m pip --python /opt/venv/bin/python install --require-hashes --only-binary=:all: \
    --requirement /requirements.txt

FROM installer AS checks-packages
COPY requirements-checks-image.txt /requirements.txt
RUN python3 -m venv --without-pip /opt/checks \
    && python3 -m pip --python /opt/checks/bin/python install --require-hashes --only-binary=:all: \
    --requirement /requirements.txt

# A team's own providers: a file of theirs, hashed as ours is (deploy/images/README.md).
FROM installer AS airflow-packages
ARG AIRFLOW_REQUIREMENTS=requirements-airflow-image.txt
COPY ${AIRFLOW_REQUIREMENTS} /requirements.txt
RUN python3 -m pip --python /opt/venv/bin/python install --require-hashes --only-binary=:all: \
    --requirement /requirements.txt

# Ours, readable by everybody whatever the checkout's modes are. The bytecode knows its source by its hash: images made
# from these may replace files.
FROM base AS bot-source
COPY bot /opt/preflight/bot
COPY deploy/images/healthcheck.py /opt/preflight/
RUN chmod -R u=rwX,go=rX /opt/preflight && python3 -m compileall -q --invalidation-mode checked-hash /opt/preflight

FROM base AS airflow-source
COPY dags /opt/airflow/dags
COPY deploy/images/airflow.cfg /opt/airflow/
COPY deploy/images/healthcheck.py deploy/images/airflow-entrypoint /opt/preflight/
RUN chmod -R u=rwX,go=rX /opt/airflow /opt/preflight && chmod 755 /opt/preflight/airflow-entrypoint \
    && python3 -m compileall -q --invalidation-mode checked-hash /opt/airflow/dags /opt/preflight \
    && install --directory --owner=10001 --group=10001 /opt/airflow/files

FROM base AS tools
ARG TOOLS=""
COPY deploy/images/tools.py /
RUN python3 /tools.py --into /opt/tools ${TOOLS}

# ---- the bot: `web` (also without a word), `worker`, `migrate`
FROM base AS bot
ENV PYTHONPATH=/opt/preflight \
    PREFLIGHT_LISTEN=0.0.0.0:8080 \
    PREFLIGHT_INTERNAL_LISTEN=0.0.0.0:8081 \
    PREFLIGHT_WORKER_LISTEN=0.0.0.0:8082
EXPOSE 8080 8081 8082
USER 10001:10001
ENTRYPOINT ["tini", "-s", "--", "/opt/venv/bin/python", "-m", "bot"]
CMD ["web"]
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["/opt/venv/bin/python", "/opt/preflight/healthcheck.py", "bot"]
COPY --from=bot-packages /opt/venv /opt/venv
COPY --from=bot-source /opt/preflight /opt/preflight
WORKDIR /opt/preflight
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="preflight-bot" \
      org.opencontainers.image.description="Runs a team's Airflow pipelines on its pull requests: the bot" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# ---- Airflow with the DAGs, their steps and the plugin: `api-server`, `scheduler`, `dag-processor` ...
FROM base AS airflow
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap git \
    && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
ENV PATH=$PATH:/opt/checks/bin:/opt/tools/bin \
    AIRFLOW_HOME=/opt/airflow \
    PREFLIGHT_ARTIFACTS_ROOT=/opt/airflow/files/artifacts
EXPOSE 8080
USER 10001:10001
ENTRYPOINT ["tini", "-s", "--", "/opt/preflight/airflow-entrypoint"]
CMD ["version"]
HEALTHCHECK --interval=30s --timeout=30s --start-period=120s CMD ["/opt/venv/bin/python", "/opt/preflight/healthcheck.py", "airflow"]
COPY --from=checks-packages /opt/checks /opt/checks
COPY --from=tools /opt/tools /opt/tools
COPY --from=airflow-packages /opt/venv /opt/venv
COPY --from=airflow-source /opt/preflight /opt/preflight
COPY --from=airflow-source /opt/airflow /opt/airflow
WORKDIR /opt/airflow
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="preflight-airflow" \
      org.opencontainers.image.description="Runs a team's Airflow pipelines on its pull requests: Airflow" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
