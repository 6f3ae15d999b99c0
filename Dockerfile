# Ketamine CDS, as it is run in production: every call carries the token of a registered EHR. Listens on 8000.
#
#   docker build -t ketamine-cds .
#   docker run --rm -v clients:/clients ketamine-cds cds client add ...        # register an EHR: docs/integrators.md
#   docker run --rm -v keys:/keys ketamine-cds cds log init --origin cds.hospital.example/audit/1    # the log's keys, once
#   docker run -p 127.0.0.1:8000:8000 -e CDS_PUBLIC_BASE_URL=https://cds.hospital.example \
#       -v clients:/clients:ro -v keys:/keys:ro -v record:/data -v kept:/kept ketamine-cds
#
# CDS_PUBLIC_BASE_URL is the address under which the EHR reaches the service: the EHR's tokens must be made for it. The
# service does not start without it, and says so. TLS ends in a proxy before it. deploy/compose.yaml is a whole example.
#
# Written to while it runs: /data (the record, and which tokens were used) and /kept (the copy of the newest checkpoint:
# on another machine than /data). /clients is written by `cds client` alone, /keys by `cds log init`, once.

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
    CDS_PROFILE=production \
    CDS_HOST=0.0.0.0 \
    CDS_PORT=8000 \
    CDS_CLIENTS=/clients/clients.json \
    CDS_JTI_DATABASE=/data/jti/jti.sqlite \
    CDS_DATABASE=/data/record.sqlite \
    CDS_PSEUDONYM_KEY=/keys/pseudonym.key \
    CDS_CHECKPOINT_COPY=/kept/checkpoint
RUN install -d -m 700 -o 65532 -g 65532 /clients /data /data/jti /keys /kept
USER 65532:65532
VOLUME ["/clients", "/data", "/keys", "/kept"]
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/healthz' % os.environ['CDS_PORT'], timeout=2)"]
CMD ["cds", "serve"]
