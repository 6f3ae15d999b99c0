"""The service over HTTP: routes, the operational log, and the one place where everything is put together."""

from cds.app.create import create_app

__all__ = ["create_app"]
