"""From a file of rows to a registered version, the same for every model."""

from __future__ import annotations

import hashlib
import importlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast

from pydantic import BaseModel

from models import get
from models.base import Config, OnlineModel
from models.digest import sha256_of
from models.errors import InputError, ModelFolderError
from models.feedback import Stored
from models.rows import read_batches
from models.settings import configured
from training import tracking
from training.card import Card
from training.evaluation import AnyModel, AnyRecipe, Evaluation, GateResult, evaluate, gates, prefixed, require
from training.recipe import Split

Progress = Callable[[str, float | None], None]
"""Is told what happens now, and the share of it that is done (``None``: unknown)."""


class Report(BaseModel):
    """What became of a training.

    ``metrics``, ``baseline`` and ``champion`` (of the champion before, if there was one) are of the same hold-out.
    """

    slug: str
    version: int
    alias: str
    decision: str
    rows: int
    seconds: float
    metrics: dict[str, float]
    baseline: dict[str, float]
    champion: dict[str, float] | None
    gates: dict[str, GateResult]
    data_sha256: str
    manifest_sha256: str
    run_id: str


@dataclass(frozen=True)
class Source:
    """What is read: files, and what the store has to teach."""

    data: Path | None
    holdout: Path | None
    stored: Stored | None = None

    @property
    def files(self) -> dict[str, Path]:
        """Path by what it is for."""
        return {name: path for name, path in (("training", self.data), ("holdout", self.holdout)) if path is not None}

    @property
    def sha256(self) -> str:
        """The hash of all that is read; of one file, that of its bytes."""
        hashes = [sha256_of(path) for path in self.files.values()]
        if self.stored is not None:
            rows = hashlib.sha256()
            for row in self.stored.rows:
                rows.update(row.model_dump_json().encode() + b"\n")
            hashes.append(rows.hexdigest())
        return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()

    def __str__(self) -> str:
        """All of it in words."""
        learned = " and ".join(str(each) for each in (self.data, self.stored and self.stored.what) if each)
        return learned if self.holdout is None else f"{learned}, judged on {self.holdout}"


def train(
    slug: str,
    *,
    data: Path | None = None,
    holdout: Path | None = None,
    mapping: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    promote: bool = True,
    stored: Stored | None = None,
    progress: Progress | None = None,
) -> Report:
    """Read, check, split, fit, evaluate, gate, log, register and compare; promote on a win.

    Without a champion, a version that passes its gates becomes champion. The same rows, settings and seed give the same version again.

    Parameters
    ----------
    data
        Rows to train from; ``None``: the sample of `slug`, unless there are stored rows.
    holdout
        Rows to be judged on; ``None``: the recipe's split of `data`.
    mapping, options
        Column by field, and what the files do not say; see `models.rows.read_rows`. For both files.
    settings
        Settings of the model by name, as text.
    promote
        ``False``: the version stays challenger, whatever it wins.
    stored
        What the store has to teach: rows beside those of `data`, or instead. An online model is not trained on events that it would
        refuse.

    Raises
    ------
    InputError
        If the rows or settings cannot be used.
    GateError
        If a gate or the baseline was missed; nothing was registered.
    RegistryError
        If MLflow cannot be reached.
    """
    started, say = time.monotonic(), progress or _silent
    kind, recipe = get(slug), recipe_of(slug)
    model = kind(parse_settings(kind.contract.config, settings or {}))
    source = Source(data if data or stored else sample_of(slug), holdout, stored)
    say("connecting to MLflow", None)
    tracking.check()
    split = _read(source, recipe, model, _Reading(mapping, options), say)
    say(f"fitting on {len(split.train):,} rows", None)
    model.fit(split.train)
    with TemporaryDirectory() as folder:
        say("judging model, baseline and champion", None)
        verdict = _judge(recipe, model, split, Path(folder), promote)
        say("logging to MLflow", None)
        report = _record(source, recipe, model, split, verdict, Path(folder))
    return report.model_copy(update={"seconds": round(time.monotonic() - started, 3)})


def recipe_of(slug: str) -> AnyRecipe:
    """The recipe of a slug; imports only that recipe's module."""
    return cast(AnyRecipe, importlib.import_module(f"training.{slug}").RECIPE)


def sample_of(slug: str) -> Path:
    """The sample file that comes with the project.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = Path(__file__).parents[1] / "data" / slug
    if not (found := sorted(folder.glob("sample.*"))):
        raise InputError(f"expected a sample in {folder}, found none: give a file of rows, or run prepare.py there")
    return found[0]


def parse_settings(config: type[Config], settings: Mapping[str, str]) -> Config:
    """A model's configuration from text; lists and mappings are written as JSON.

    Raises
    ------
    InputError
        If a setting is unknown or out of bounds.
    """
    try:
        return configured(config, {name: json.loads(text) if text[:1] in ("[", "{") else text for name, text in settings.items()})
    except json.JSONDecodeError as error:
        raise InputError(f"expected a setting that starts with a bracket to be JSON, got {error.doc!r}") from error


@dataclass(frozen=True)
class _Verdict:
    evaluation: Evaluation
    gates: dict[str, GateResult]
    wins: bool
    decision: str


class _Reading(NamedTuple):
    """How files are read."""

    mapping: Mapping[str, str] | None
    options: Mapping[str, str] | None


def _read(source: Source, recipe: AnyRecipe, model: AnyModel, how: _Reading, say: Progress) -> Split[Any]:
    taught = [row for row in source.stored.rows if _is_taken(row, model)] if source.stored is not None else []
    if source.data is None and not taught:
        raise InputError("expected stored rows to learn from, found none: report what happened first, or train on a file")
    rows = recipe.gather([taught]) if source.data is None else _rows(source.data, recipe, model, how, say, taught)
    if source.holdout is not None:
        return Split(train=rows, holdout=_rows(source.holdout, recipe, model, how, say))
    return recipe.split(rows, model.config.seed)


def _is_taken(row: Any, model: AnyModel) -> bool:
    """Whether an online model would take it as an event; workers that replay it ask the same."""
    event = model.contract.event
    return not isinstance(model, OnlineModel) or event is None or not isinstance(row, event) or model.refusal(row) is None


def _rows(path: Path, recipe: AnyRecipe, model: AnyModel, how: _Reading, say: Progress, more: Sequence[Any] = ()) -> Sequence[Any]:
    """The rows of a file, and some more."""
    total, done = max(path.stat().st_size, 1) if path.is_file() else 1, 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        say(f"reading {path.name}", min(done / total, 1.0))

    batches = read_batches(path, model.contract.example, how.mapping, options=how.options, progress=advance)
    rows = recipe.gather(chain(batches, [more]))
    if not rows:
        raise InputError(f"expected rows in {path.name}, found none")
    return rows


def _judge(recipe: AnyRecipe, model: AnyModel, split: Split[Any], folder: Path, promote: bool) -> _Verdict:
    try:
        champion, problem = tracking.load_champion(recipe.slug, folder), ""
    except ModelFolderError as error:
        champion, problem = None, f", as the champion cannot be loaded: {error}"
    version, theirs = champion or (None, None)
    evaluation = evaluate(recipe, model, split, theirs)
    comparison = evaluation.comparison
    wins = promote and (comparison is None or comparison.wins)
    if not promote:
        decision = "Challenger: promotion was not asked for."
    elif comparison is None:
        decision = f"Promoted to champion{problem or ', the first one'}."
    elif comparison.resamples == 0:
        decision = f"Challenger: no win, it answers exactly as champion {version} does."
    else:
        against = f"{comparison.difference:+.4g} {comparison.metric} against champion {version}, 95% interval "
        interval = f"{comparison.low:+.4g} to {comparison.high:+.4g} (paired bootstrap)"
        decision = f"{'Promoted to champion' if wins else 'Challenger: no win'}: {against}{interval}."
    return _Verdict(evaluation, gates(recipe, evaluation), wins, decision)


def _record(source: Source, recipe: AnyRecipe, model: AnyModel, split: Split[Any], verdict: _Verdict, folder: Path) -> Report:
    """Log everything; register unless a gate was missed."""
    evaluation, sizes = verdict.evaluation, (len(split.train), len(split.holdout))
    data_sha256, trained_at = source.sha256, datetime.now(UTC)
    primary = {recipe.primary: f"{evaluation.metrics.get(recipe.primary, float('nan')):.6g}"}
    tags = {"data": str(source), "data_sha256": data_sha256, "rows": str(sum(sizes)), "trained_at": trained_at.isoformat()} | primary
    tags |= source.stored.tags if source.stored is not None else {}
    with tracking.recording(recipe.slug, tags) as record:
        record.parameters(model.config.model_dump(mode="json") | {"baseline": recipe.baseline_name, "cases": len(evaluation.cases)})
        record.metrics(evaluation.metrics | prefixed("baseline", evaluation.baseline) | prefixed("champion", evaluation.champion or {}))
        record.metrics(prefixed("fit", dict(recipe.measured(model))))
        for context, path in source.files.items():
            record.dataset(path, sha256_of(path), context)
        record.figures(recipe.figures(model, evaluation.predictions, evaluation.cases))
        record.table(evaluation.slices, "slices")
        require(recipe.slug, verdict.gates)
        judged, served = _saved(model, split, folder, data_sha256)
        absorbed = judged is not served
        card = Card(recipe, model, evaluation, verdict.gates, str(source), data_sha256, sizes, trained_at, verdict.decision, absorbed)
        record.text(card.markdown(), "card.md")
        version = record.register(served, judged, _shown(evaluation), card.description(), tags, champion=verdict.wins)
    return Report(
        slug=recipe.slug,
        version=version,
        alias=tracking.CHAMPION if verdict.wins else tracking.CHALLENGER,
        decision=verdict.decision,
        rows=sum(sizes),
        seconds=0.0,
        metrics=evaluation.metrics,
        baseline=evaluation.baseline,
        champion=evaluation.champion,
        gates=verdict.gates,
        data_sha256=data_sha256,
        manifest_sha256=served.manifest_sha256,
        run_id=record.run_id,
    )


def _saved(model: AnyModel, split: Split[Any], folder: Path, data_sha256: str) -> tuple[tracking.Saved, tracking.Saved]:
    """The model as it was judged and as it will answer.

    One that learns online from such rows learns the hold-out too, now that it was judged: the served version should know the latest
    rows, while a later champion can only be compared fairly with the version that had not seen them.
    """

    def save(name: str) -> tracking.Saved:
        return tracking.Saved(folder / name, model.save(folder / name, data_sha256=data_sha256))

    event = model.contract.event
    if not isinstance(model, OnlineModel) or event is None or not issubclass(model.contract.example, event):
        return (only := save("model")), only
    judged = save("judged")
    model.update(split.holdout)
    return judged, save("model")


def _shown(evaluation: Evaluation) -> dict[str, Any]:
    """A query, to show how the version is asked; a made-up one where queries are about people, who may want to be forgotten."""
    query = evaluation.cases[0].query
    if query.subject is not None:
        query = query.model_validate(query.model_config["json_schema_extra"]["examples"][0])
    shown: dict[str, Any] = query.model_dump(mode="json", exclude_unset=True)
    return shown


def _silent(_: str, __: float | None) -> None:
    """Progress that nobody watches."""
