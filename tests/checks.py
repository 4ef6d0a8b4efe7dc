"""The contract of a model as functions: each takes a `Subject` and fails where the model breaks a promise."""

from __future__ import annotations

import importlib
import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import models
from models.base import MANIFEST, Model
from models.errors import ModelFolderError, NotFittedError, TamperedError, WrongFormatError, WrongSlugError
from models.rows import read_rows
from training.run import recipe_of, sample_of


@dataclass(frozen=True)
class Subject:
    """A model under test, with its sample data and the queries its recipe would ask."""

    slug: str

    @property
    def model_class(self) -> type[Model[Any, Any, Any, Any]]:
        return models.get(self.slug)

    @cached_property
    def examples(self) -> list[Any]:
        return list(read_rows(sample_of(self.slug), self.model_class.contract.example))

    @cached_property
    def queries(self) -> list[Any]:
        recipe = recipe_of(self.slug)
        return [case.query for case in recipe.cases(recipe.split(self.examples, 0), 0)][:12]

    def fit(self) -> Model[Any, Any, Any, Any]:
        return self.model_class().fit(self.examples)

    @cached_property
    def fitted(self) -> Model[Any, Any, Any, Any]:
        return self.fit()

    def saved(self, folder: Path) -> Path:
        self.fitted.save(folder)
        return folder


@cache
def subject(slug: str) -> Subject:
    """One subject per slug and session, so that each model is fitted once for all checks."""
    return Subject(slug)


def same(left: object, right: object) -> bool:
    """Equal, where numbers may differ in the last digits that the order of a sum decides."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-6)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def dump(predictions: Sequence[Any]) -> list[dict[str, Any]]:
    return [prediction.model_dump() for prediction in predictions]


def check_slug_is_the_file_name(subject: Subject) -> None:
    assert subject.model_class.contract.slug == subject.slug
    assert subject.model_class.__module__.split(".")[:2] == ["models", subject.slug]


def check_fit_returns_self(subject: Subject) -> None:
    model = subject.model_class()
    assert model.fit(iter(subject.examples)) is model


def check_unfitted_predict_and_save_are_refused(subject: Subject) -> None:
    with pytest.raises(NotFittedError, match="expected fit or load"):
        subject.model_class().predict(subject.queries[:1])
    with tempfile.TemporaryDirectory() as folder, pytest.raises(NotFittedError):
        subject.model_class().save(Path(folder))


def check_one_prediction_per_query_in_order(subject: Subject) -> None:
    forwards, backwards = subject.fitted.predict(subject.queries), subject.fitted.predict(subject.queries[::-1])
    assert len(forwards) == len(subject.queries)
    assert all(type(prediction) is subject.model_class.contract.prediction for prediction in forwards)
    assert same(dump(forwards), dump(backwards)[::-1])


def check_empty_batch_has_an_empty_answer(subject: Subject) -> None:
    assert subject.fitted.predict([]) == []


def check_batch_equals_single(subject: Subject) -> None:
    singles = [dump(subject.fitted.predict([query]))[0] for query in subject.queries]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(st.lists(st.integers(0, len(singles) - 1), max_size=8))
    def holds(picks: list[int]) -> None:
        batch = dump(subject.fitted.predict([subject.queries[pick] for pick in picks]))
        assert same(batch, [singles[pick] for pick in picks])

    holds()


def check_inputs_stay_unchanged(subject: Subject) -> None:
    before = [query.model_dump_json() for query in subject.queries]
    subject.fitted.predict(subject.queries)
    assert [query.model_dump_json() for query in subject.queries] == before


def check_same_seed_same_bytes(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert subject.fitted.save(Path(folder, "one")) == subject.fit().save(Path(folder, "two"))


def check_round_trip_answers_the_same(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loaded = subject.model_class.load(subject.saved(Path(folder)))
        assert loaded.config == subject.fitted.config
        assert dump(loaded.predict(subject.queries)) == dump(subject.fitted.predict(subject.queries))
        assert loaded.save(Path(folder, "again")) == subject.fitted.save(Path(folder, "more"))


def check_folder_holds_only_plain_formats(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        suffixes = {path.suffix for path in subject.saved(Path(folder)).rglob("*") if path.is_file()}
        assert suffixes <= {".json", ".npz", ".txt", ".onnx", ".crfsuite"}


def check_flipped_byte_is_refused(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = subject.saved(Path(folder))
        for part in [path for path in saved.rglob("*") if path.is_file()]:
            good = part.read_bytes()
            bad = bytearray(good)
            bad[len(bad) // 2] ^= 1
            part.unlink()  # a part may be a hard link to a file that others use
            part.write_bytes(bad)
            with pytest.raises(ModelFolderError):
                subject.model_class.load(saved, manifest_sha256=_manifest_sha256(subject))
            part.write_bytes(good)
        subject.model_class.load(saved, manifest_sha256=_manifest_sha256(subject))


def _manifest_sha256(subject: Subject) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return subject.fitted.save(Path(folder))


def check_missing_and_extra_parts_are_refused(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = subject.saved(Path(folder))
        (saved / "extra.pkl").write_bytes(b"cos\nsystem\n")
        with pytest.raises(TamperedError, match=r"extra\.pkl"):
            subject.model_class.load(saved)
        (saved / "extra.pkl").unlink()
        next(path for path in saved.iterdir() if path.is_file() and path.name != MANIFEST).unlink()
        with pytest.raises(TamperedError, match="expected the parts"):
            subject.model_class.load(saved)


def check_another_slug_or_format_is_refused(subject: Subject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        manifest = subject.saved(Path(folder)) / MANIFEST
        good = json.loads(manifest.read_text())
        manifest.write_text(json.dumps(good | {"slug": "weather"}))
        with pytest.raises(WrongSlugError, match="got a weather model"):
            subject.model_class.load(Path(folder))
        manifest.write_text(json.dumps(good | {"format": 999}))
        with pytest.raises(WrongFormatError, match="got 999"):
            subject.model_class.load(Path(folder))


def check_config_survives_json(subject: Subject) -> None:
    config = subject.model_class.contract.config(seed=7)
    assert type(config).model_validate_json(config.model_dump_json()) == config


def check_schema_examples_are_valid_and_answered(subject: Subject) -> None:
    contract = subject.model_class.contract
    for record in (contract.query, contract.example, contract.prediction):
        examples = record.model_json_schema()["examples"]
        assert examples, record
        assert all(record.model_validate_json(json.dumps(example)) for example in examples)
    queries = [contract.query.model_validate(example) for example in contract.query.model_json_schema()["examples"]]
    assert len(subject.fitted.predict(queries)) == len(queries)


def check_every_question_is_described_and_its_example_answered(subject: Subject) -> None:
    questions = subject.model_class.contract.questions
    assert len({question.name for question in questions} | {"events"}) == len(questions) + 1, "each its own route, beside that of events"
    for question in questions:
        method = getattr(subject.fitted, question.name)
        assert method.__doc__, f"{question.name} has no docstring, which the API shows"
        examples = question.request.model_json_schema()["examples"]
        assert examples, f"{question.request.__name__} has no example"
        for example in examples:
            answer = method(question.request.model_validate_json(json.dumps(example)))
            assert isinstance(answer, str if isinstance(question.reply, str) else question.reply)


def check_every_field_is_described(subject: Subject) -> None:
    contract = subject.model_class.contract
    asked = [question.request for question in contract.questions]
    told = [question.reply for question in contract.questions if not isinstance(question.reply, str)]
    for record in (contract.config, contract.query, contract.example, contract.prediction, *asked, *told):
        for name, described in record.model_fields.items():
            assert described.description, f"{record.__name__}.{name} has no description"


def check_docstring_has_references(subject: Subject) -> None:
    module = importlib.import_module(subject.model_class.__module__)
    assert "References" in (module.__doc__ or "")


CHECKS = [function for name, function in sorted(globals().items()) if name.startswith("check_")]
