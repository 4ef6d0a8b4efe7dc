"""How the server is started: the command line and environment of ``bentoml serve``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from models.environment import environment

SERVICE = "serving.service:Foretell"


def command(*, host: str = "127.0.0.1", port: int = 3000) -> list[str]:
    """The arguments that start the server in the foreground; it ends on SIGINT or SIGTERM when open requests are answered."""
    return [sys.executable, "-m", "bentoml", "serve", SERVICE, "--host", host, "--port", str(port), "--timeout-graceful-shutdown", "10"]


def require_store_address() -> None:
    """Make sure that the store can be somewhere; whether it answers shows later, and may change.

    Raises
    ------
    InputError
        If ``FORETELL_DATABASE_URL`` names no database that it can be in.
    """
    from serving.store import Store

    Store(environment().database_url).close()


def settings(*, models: Sequence[str] = (), port: int = 3000, workers: int = 1) -> dict[str, str]:
    """The whole environment for `command`: the caller's own, and what the server needs beside it.

    Parameters
    ----------
    models
        Slugs to serve; none: what ``FORETELL_MODELS`` says.
    workers
        Processes that answer; each holds every model.
    """
    surroundings = environment()
    defaults = {
        "BENTOML_DO_NOT_TRACK": "true",
        # BentoML empties its folder of metrics when it starts: two servers must not share one.
        "BENTOML_HOME": str(surroundings.home / "bentoml" / str(port)),
        "BENTOML_CONFIG_OPTIONS": f"services.foretell.workers={workers}",
        # Tracing costs a third of the throughput, so it is for those who ask for it.
        "OTEL_SDK_DISABLED": "true",
    }
    chosen = {"FORETELL_MODELS": ",".join(models)} if models else {}
    return {**defaults, **os.environ, **chosen}
