"""The MLflow that the environment names: reached, refused or shown."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from models.environment import environment, without_password
from models.errors import RegistryError

_QUIET = {
    "mlflow": logging.WARNING,
    "mlflow.types.type_hints": logging.ERROR,
    "alembic": logging.WARNING,
    "urllib3.connectionpool": logging.ERROR,
}


def check() -> None:
    """Make sure that MLflow answers; creates the local database if there is none yet.

    Raises
    ------
    RegistryError
        If it does not.
    """
    with registry_errors():
        connect().search_registered_models(max_results=1)


def connect() -> MlflowClient:
    """Connect to what the environment names now."""
    surroundings = environment()
    surroundings.home.mkdir(parents=True, exist_ok=True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    kept = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(surroundings.tracking_uri)
    # MLflow also writes it to the environment, where it would outlive a change of FORETELL_HOME.
    if kept is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
    else:
        os.environ["MLFLOW_TRACKING_URI"] = kept
    mlflow.set_registry_uri(surroundings.tracking_uri)
    return MlflowClient()


@contextmanager
def registry_errors() -> Iterator[None]:
    """Say in one sentence that MLflow did not do what was asked, as `RegistryError`."""
    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        uri, reason = without_password(environment().tracking_uri), without_password(str(error).partition("\n")[0])
        if isinstance(error.__context__, RequestException):
            raise RegistryError(f"expected MLflow at {uri} to answer, got no connection: start it, or check MLFLOW_TRACKING_URI") from error
        raise RegistryError(f"expected MLflow at {uri} to do what was asked, got: {reason}") from error
