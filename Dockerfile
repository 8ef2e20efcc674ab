# The service alone; in production a buffering reverse proxy with TLS stands in front (see docker-compose.yml).
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY cds_service cds_service
RUN /venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /nonexistent --no-create-home cds && install -d -o 10001 /data
COPY --from=build /venv /venv
USER 10001
ENV PYTHONUNBUFFERED=1 CDS_HOST=0.0.0.0 CDS_PORT=8080 CDS_ALLOW_OPEN=1 CDS_WORKERS=2 CDS_DATABASE=sqlite:////data/cds.db
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
  CMD ["/venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/cds-services', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/venv/bin/cds-service", "serve"]
