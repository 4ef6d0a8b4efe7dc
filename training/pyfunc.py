"""The one script that MLflow runs to serve a registered version of any model, as ``mlflow.pyfunc.load_model("models:/churn@champion")``.

MLflow stores this file, and ``models`` beside it, with each version, and runs it anew to load one; ``model_config`` says which slug.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import mlflow
from mlflow.models import ModelConfig
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from pydantic import AwareDatetime, BaseModel, ConfigDict, create_model

from models import get

_PLAIN = (str, int, float, bool)
_ANYTHING = int | float | str | bool | list[Any] | dict[str, Any] | None


def hint(annotation: Any) -> Any:
    """The type as JSON writes it, made of what MLflow understands in a signature; what it does not is any value."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return hint(args[0])
    if annotation in (datetime, AwareDatetime):
        return str
    if origin is Literal:
        return type(args[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return record_hint(annotation)
    if origin in (Union, UnionType):
        return Union[tuple(arg if arg is NoneType else hint(arg) for arg in args)]  # noqa: UP007
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, hint(args[1])]  # type: ignore[misc]
    if origin in (list, tuple, set, frozenset) or (isinstance(origin, type) and origin.__name__ == "Sequence"):
        return list[hint(args[0])]  # type: ignore[misc]
    return annotation if annotation in _PLAIN else _ANYTHING


def record_hint(record: type[BaseModel]) -> type[BaseModel]:
    """A pydantic type of the same fields, in JSON's types."""
    fields: dict[str, Any] = {}
    for name, field in record.model_fields.items():
        kind = hint(field.annotation)
        # MLflow takes no field that may be null and must be given.
        required = field.is_required() and NoneType not in get_args(kind)
        fields[name] = (kind, ...) if required else (kind | None, None)
    return create_model(record.__name__, __config__=ConfigDict(extra="allow"), **fields)


_contract = get(ModelConfig().get("model")).contract  # type: ignore[no-untyped-call]
Query: Any = record_hint(_contract.query)
Answer: Any = record_hint(_contract.prediction)


class Pyfunc(PythonModel):
    """A registered version, asked with dictionaries."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model; every byte is checked against the hash noted when the version was logged."""
        config = context.model_config
        folder = Path(context.artifacts[config["folder"]])
        self._model = get(config["model"]).load(folder, manifest_sha256=config["manifest_sha256"])

    def predict(self, model_input: list[Query]) -> list[Answer]:  # type: ignore[override]
        """One answer per query, in order."""
        queries = [_contract.query.model_validate(query.model_dump(exclude_unset=True)) for query in model_input]
        return [prediction.model_dump(mode="json") for prediction in self._model.predict(queries)]


mlflow.models.set_model(Pyfunc())
