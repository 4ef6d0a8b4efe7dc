"""Pure prediction code: one file (or folder) per model, one shape for all of them.

Nothing here knows MLflow, BentoML, HTTP or a database; ``training`` and ``serving`` depend on this package and never on each other.
"""

from __future__ import annotations

import importlib
from typing import Any

from models.base import Model
from models.errors import UnknownModelError

MODELS = ("root_cause", "intent", "churn", "resume_ranking", "notification", "search_synonyms", "interest_graph")
"""The slugs, in the order in which they are shown."""


def get(slug: str) -> type[Model[Any, Any, Any, Any]]:
    """The model class of a slug; imports only that model's module.

    The class is named after the slug: ``interest_graph`` holds ``InterestGraph``.

    Raises
    ------
    UnknownModelError
        If there is no such slug.
    """
    if slug not in MODELS:
        raise UnknownModelError(f"expected one of {', '.join(MODELS)} as the model, got {slug!r}")
    module = importlib.import_module(f"models.{slug}")
    model: type[Model[Any, Any, Any, Any]] = getattr(module, slug.title().replace("_", ""))
    return model
