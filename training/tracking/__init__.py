"""What is written to MLflow: runs, registered versions and their aliases.

A registered model is named after its slug. ``@champion`` answers in production, ``@challenger`` waits for a person; the earlier
champions are kept in a tag of the registered model, so that a rollback knows the way back. Beside `training.pyfunc`, nothing else in
``training`` imports mlflow.
"""

import os

# MLflow reads these while it is imported or called: fail within seconds when the server is away, and leave stdout to us.
for _name, _value in {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(_name, _value)

from training.tracking.aliases import CHALLENGER, CHAMPION, Version, load_champion, promote, rollback, status  # noqa: E402
from training.tracking.forgetting import Replaced, forget  # noqa: E402
from training.tracking.recording import Recording, Saved, recording  # noqa: E402
from training.tracking.store import check  # noqa: E402

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Recording",
    "Replaced",
    "Saved",
    "Version",
    "check",
    "forget",
    "load_champion",
    "promote",
    "recording",
    "rollback",
    "status",
]
