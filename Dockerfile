# Ketamine CDS. Listens on 8000; its record lies in /data and its key in /keys.
#
#   docker build -t ketamine-cds .
#   docker run -p 127.0.0.1:8000:8000 -e CDS_ALLOW_REMOTE=true -v record:/data -v keys:/keys ketamine-cds
#
# Calls are not yet authenticated, so the service refuses to listen beyond loopback unless CDS_ALLOW_REMOTE says that
# something else (here: a port published on loopback only) keeps strangers out.

FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.txt requirements-build.txt ./
RUN python -m venv --without-pip /opt/cds \
    && pip --python /opt/cds/bin/python install --no-cache-dir --require-hashes -r requirements.txt \
    && pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY cards/ cards/
COPY cds/ cds/
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/cds/bin/python install --no-cache-dir --no-deps dist/*.whl

FROM python:3.11-slim
COPY --from=build /opt/cds /opt/cds
ENV PATH=/opt/cds/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CDS_DATABASE=/data/record.sqlite \
    CDS_PSEUDONYM_KEY=/keys/pseudonym.key
RUN install -d -m 700 -o 65532 -g 65532 /data /keys
USER 65532:65532
VOLUME ["/data", "/keys"]
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["cds", "serve", "--host", "0.0.0.0", "--port", "8000"]
