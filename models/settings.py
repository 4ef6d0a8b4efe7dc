"""Settings as people give them, and the configuration that they make."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from models.base import Config
from models.errors import InputError
from models.wording import complaint

C = TypeVar("C", bound=Config)


def configured(kind: type[C], settings: Mapping[str, Any]) -> C:
    """The configuration that some settings make, the others as they are by default.

    Raises
    ------
    InputError
        If there is no such setting, or not with this value.
    """
    return _made(kind, settings, kind.model_fields, "settings", {})


def changed(config: C, settings: Mapping[str, Any], deciding: Collection[str]) -> C:
    """A configuration with other settings of the decision, those of `deciding`.

    Raises
    ------
    InputError
        If this is no setting of the decision, or not with this value.
    """
    return _made(type(config), settings, sorted(deciding), "settings of the decision,", config.model_dump())


def _made(kind: type[C], settings: Mapping[str, Any], known: Collection[str], noun: str, others: Mapping[str, Any]) -> C:
    if unknown := sorted(settings.keys() - set(known)):
        raise InputError(f"expected {noun} among {', '.join(known)}, got {', '.join(unknown)}")
    try:
        return kind.model_validate({**others, **settings})
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"setting {'.'.join(map(str, problem['loc']))}: {complaint(problem)}") from error
