"""Every model keeps every promise of the contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from models.base import MANIFEST
from models.digest import sha256_of
from models.errors import ModelFolderError, UnknownModelError, WrongFormatError
from tests.checks import CHECKS, Subject, subject


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("slug", models.MODELS)
def test_contract(slug: str, check: Callable[[Subject], None]) -> None:
    check(subject(slug))


def test_unknown_slug_names_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match=f"expected one of {', '.join(models.MODELS)} as the model, got 'weather'"):
        models.get("weather")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("slug", "part", "name"), [("churn", "table.json", None), ("notification", "model.json", "tiring_beyond")])
def test_parts_of_another_version_of_the_model_are_refused(tmp_path: Path, slug: str, part: str, name: str | None) -> None:
    """A folder may be whole and untouched, and yet hold other parts than today's code reads, or less in one of them."""
    saved = subject(slug).saved(tmp_path / slug)
    manifest = json.loads((saved / MANIFEST).read_text())
    if name is None:
        (saved / part).unlink()
        del manifest["parts"][part]
    else:
        held = json.loads((saved / part).read_text())
        del held[name]
        (saved / part).write_text(json.dumps(held))
        manifest["parts"][part] = sha256_of(saved / part)
    (saved / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(WrongFormatError, match=f"expected the parts that this version of {slug} reads .* train again"):
        models.get(slug).load(saved)


def test_folder_that_is_not_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"found no manifest\.json"):
        models.get("churn").load(tmp_path)
