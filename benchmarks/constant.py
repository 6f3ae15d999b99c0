"""The least that a FastAPI service can do with a hook request: decode it and answer a constant."""

from typing import Any

from fastapi import FastAPI

app = FastAPI()


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the service is up."""
    return {"status": "ok"}


@app.post("/cds-services/{service}")
async def answer(service: str, body: dict[str, Any]) -> dict[str, list[dict[str, object]]]:
    """Answer one card, whatever the request says."""
    return {"cards": [{"summary": f"{service}: {len(body)} members", "indicator": "info", "source": {"label": "none"}}]}
