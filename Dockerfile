FROM python:3.13-slim AS build

# uv by its hash, and everything else by the hashes in uv.lock. The Makefile pins the same version.
COPY scripts/uv-requirements.txt /tmp/
RUN pip install --no-cache-dir --require-hashes --requirement /tmp/uv-requirements.txt

# Compiled once, here: the root is read-only later. Python does not compare times, which copying between stages may round.
ENV UV_COMPILE_BYTECODE=1 \
    PYC_INVALIDATION_MODE=UNCHECKED_HASH \
    UV_LINK_MODE=copy \
    UV_PYTHON=/usr/local/bin/python

WORKDIR /app

# The dependencies come first, so that a change in src does not install them again.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-install-project
RUN uv export --locked --no-dev --format cyclonedx1.5 --preview-features sbom-export --quiet --output-file sbom.cdx.json

COPY LICENSE README.md ./
COPY src src
RUN uv sync --locked --no-dev --no-editable && rm -f .venv/.lock


FROM python:3.13-slim

LABEL org.opencontainers.image.title="gatehouse" \
      org.opencontainers.image.description="An accounts backend: cookie sessions, a role hierarchy and its administration, as commands and queries." \
      org.opencontainers.image.version="0.2.0.dev0" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim" \
      gatehouse.sbom="/app/sbom.cdx.json"

# Whoever gets in finds nothing that installs or builds more. Python's own modules come without compiled ones.
RUN groupadd --gid 10001 gatehouse \
    && useradd --uid 10001 --gid gatehouse --no-create-home gatehouse \
    && python -m pip uninstall --yes --quiet pip \
    && rm -rf /usr/local/lib/python3.*/ensurepip \
    && python -m compileall -q --invalidation-mode unchecked-hash /usr/local/lib/python3.*

ENV GATEHOUSE_APP__ENVIRONMENT=production \
    PATH="/app/.venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# config.toml is read from the folder that the process stands in; everything else is in the package.
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY --from=build /app/sbom.cdx.json ./
COPY config.toml ./

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001

EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["gatehouse", "serve"]
