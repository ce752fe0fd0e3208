# syntax=docker/dockerfile:1
# The operations container: this package, and PostgreSQL's programs of the server's major version.
#
#   docker build --build-arg POSTGRESQL_MAJOR=17 --tag fluxstudio-operations:RELEASE .
#
# BASE_IMAGE is a tag, so that a build on a laptop gets the base's security fixes. A release gives it with the digest
# that was scanned (--build-arg BASE_IMAGE=python:3.13-slim-trixie@sha256:...), and is itself deployed by a tag that the
# registry never lets anyone move. A digest written here would be old within a week, and nobody would notice.
ARG BASE_IMAGE=python:3.13-slim-trixie

FROM ${BASE_IMAGE} AS base
ENV LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

FROM base AS build
ARG UV_VERSION=0.13.9
# Versions come from uv.lock alone; the interpreter is the one of the base.
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/fluxstudio/venv \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
# Dependencies change less often than code, so they are a layer of their own.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY ops ops
COPY infra infra
COPY sql sql
RUN uv sync --frozen --no-dev --no-editable
# A load's cluster and whoever connects to it (clusterWorkers) must have the same version, so every image has it.
RUN uv pip install --no-cache --python "${UV_PROJECT_ENVIRONMENT}/bin/python" --require-hashes \
    --requirement infra/load-cluster-requirements.txt

FROM base
# The major version of the stack's server (postgresqlMajor), which nobody should get by default: a newer pg_dump may read
# an older server, but a drill must restore into the version that runs. Drills start a server of their own, hence the
# server beside the client.
ARG POSTGRESQL_MAJOR
SHELL ["/bin/bash", "-o", "errexit", "-o", "pipefail", "-c"]
# The distribution's postgresql-common brings the PostgreSQL project's repository with its key; no cluster is made.
# hadolint ignore=DL3008
RUN : "${POSTGRESQL_MAJOR:?build with --build-arg POSTGRESQL_MAJOR= and the major version of the server}" \
    && apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
    && sed --in-place 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends \
        "postgresql-${POSTGRESQL_MAJOR}" "postgresql-client-${POSTGRESQL_MAJOR}" \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*
# The numbers are those that the task definitions name. A volume takes over the owner of the directory it covers.
RUN groupadd --gid 10001 fluxstudio \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/fluxstudio --shell /usr/sbin/nologin fluxstudio \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/fluxstudio
COPY --from=build /opt/fluxstudio/venv /opt/fluxstudio/venv
COPY tasks.py /opt/fluxstudio/tasks.py
# Tasks check the server's certificate to the full (database_tls of the contract), and libpq has no authorities of its
# own. AWS replaces this bundle whenever it adds a region, so no checksum is written here: it is trusted because it comes
# over TLS from AWS, and the build fails unless the instance's authority (infra/database.py) is in it.
ADD --chmod=0444 https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem /opt/fluxstudio/rds-global-bundle.pem
RUN openssl storeutl -noout -text -certs /opt/fluxstudio/rds-global-bundle.pem \
    | grep --count 'Subject:.*Amazon RDS [a-z0-9-]* Root CA RSA2048 G1'
ENV FLUXSTUDIO_PG_BIN=/usr/lib/postgresql/${POSTGRESQL_MAJOR}/bin \
    HOME=/var/lib/fluxstudio \
    PGSSLROOTCERT=/opt/fluxstudio/rds-global-bundle.pem \
    PATH=/opt/fluxstudio/venv/bin:/usr/lib/postgresql/${POSTGRESQL_MAJOR}/bin:/usr/local/bin:/usr/bin:/bin
USER 10001:10001
WORKDIR /var/lib/fluxstudio
VOLUME ["/var/lib/fluxstudio", "/tmp"]
STOPSIGNAL SIGINT
# A task has no port to ask. What can be wrong with a container that runs is that its programs do not start.
HEALTHCHECK --interval=60s --timeout=10s --retries=3 CMD ["pg_dump", "--version"]
ENTRYPOINT ["invoke", "--search-root", "/opt/fluxstudio"]
CMD ["--list"]
