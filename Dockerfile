# One server. Build: docker build -t frontdesk .   Needs no secret; settings come from the environment at run time.
FROM python:3.11-slim-bookworm AS packages
COPY requirements-server.lock .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements-server.lock

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 frontdesk
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Caches, and the database when no other is set: the only folder that is written to.
RUN /venv/bin/python -m compileall -q /app && mkdir -p var && chown frontdesk var
USER frontdesk
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8080
EXPOSE 8080
VOLUME /app/var
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
# SIGTERM: running answers end, at most 20 s; give it 25.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "cli"]
CMD ["serve"]
