# One image for every process of Clew; docker-compose.yml says which runs where, and how each is looked after.

FROM python:3.13-slim AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
# `apprise`, where that channel is used.
ARG CLEW_EXTRA=""
# The locked packages first: they change less often than the code.
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --locked --no-dev --no-install-project ${CLEW_EXTRA:+--extra "$CLEW_EXTRA"}
COPY . .
RUN uv sync --locked --no-dev ${CLEW_EXTRA:+--extra "$CLEW_EXTRA"}

FROM python:3.13-slim
ARG CLEW_VERSION=""
ARG CLEW_REVISION=""
LABEL org.opencontainers.image.title="Clew" \
    org.opencontainers.image.description="Durable customer-journey orchestration on Temporal" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${CLEW_VERSION}" \
    org.opencontainers.image.revision="${CLEW_REVISION}"
# A number, so that whoever runs the image can tell that it is not root.
RUN useradd --system --uid 10001 --home-dir /app --no-create-home --shell /usr/sbin/nologin clew
COPY --from=build /app /app
WORKDIR /app
# PYTHONTZPATH: the rules of time zones are those of the locked package, not of the base image.
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONTZPATH=""
USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["/bin/sh", "/app/deploy/entrypoint.sh"]
CMD ["python", "-m", "workers", "api"]
