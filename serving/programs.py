"""The two programs of ``foretell up``, and a request to try."""

from __future__ import annotations

import json
import sys

from models import MODELS, get
from models.environment import environment
from serving import launch
from serving.processes import Program


def api_program(host: str, port: int) -> Program:
    """The API, for all models."""
    log = environment().home / "logs" / "api.log"
    return Program("the API", launch.command(host=host, port=port), f"http://{host}:{port}/readyz", log, launch.settings(port=port))


def ui_program(host: str, port: int) -> Program:
    """The MLflow UI of the local store."""
    surroundings = environment()
    surroundings.home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", surroundings.tracking_uri, "--default-artifact-root", (surroundings.home / "artifacts").as_uri()]
    # Its jobs are for judging language models; their workers would double the seconds to ready.
    variables = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return Program("the MLflow UI", command, f"http://{host}:{port}/health", surroundings.home / "logs" / "mlflow.log", variables)


def example_request(host: str, port: int) -> str:
    """A command that asks a model: an example of the last one's query type, as importing all of them takes seconds."""
    slug = MODELS[-1]
    example = get(slug).contract.query.model_config["json_schema_extra"]["examples"][0]
    body = json.dumps({"queries": [example]})
    return f"curl http://{host}:{port}/v1/{slug} -H 'Content-Type: application/json' -d '{body}'"
