# One image for every process of Clew; docker-compose.yml says which runs where.

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
RUN useradd --system --uid 10001 --home-dir /app --no-create-home clew
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER clew
EXPOSE 8000
CMD ["python", "-m", "workers", "api"]
