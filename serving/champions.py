"""The models that answer now: loaded before the server is ready, exchanged for a newer champion while it answers."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from threadpoolctl import threadpool_limits

from models.base import Prediction
from models.environment import Environment
from models.errors import ForetellError, StoreError
from serving.answers import Answer, ModelRef, ModelStatus
from serving.online import Online, is_online
from serving.prediction_ids import new_prediction_id
from serving.registry import AnyModel, Registry, Version, read
from serving.store import Store

logger = logging.getLogger("bentoml.foretell")  # below "bentoml", whose handlers and level BentoML sets up

Source = Literal["registry", "disk"]


class NotLoadedError(ForetellError):
    """A selected model that cannot answer yet."""


@dataclass(frozen=True)
class Champion:
    """A loaded model, and where it came from."""

    model: AnyModel
    version: Version
    source: Source
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Champions:
    """One champion per selected slug; `start` keeps them current in a thread of its own.

    A version that cannot be fetched, verified or read never replaces one that answers; why is in `status`.

    Parameters
    ----------
    slugs
        The selected models.
    surroundings
        Where the registry is, where versions are kept, how often to ask for newer ones.
    store
        Where the events are that models learn from between trainings. ``None``: the one of the surroundings.
    """

    def __init__(self, slugs: Sequence[str], surroundings: Environment, store: Store | None = None) -> None:
        self.slugs = tuple(slugs)
        self._online = Online(store or Store(surroundings.database_url), surroundings.home, self._look_now)
        self._registry = Registry(surroundings)
        self._reload_seconds = surroundings.reload_seconds
        self._champions: dict[str, Champion] = {}
        self._problems: dict[str, str] = {}
        self._stopped, self._look = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep_current, name="champions", daemon=True)

    def start(self) -> None:
        """Begin to load; returns at once."""
        self._thread.start()
        if any(map(is_online, self.slugs)):
            self._online.start()

    def stop(self) -> None:
        """Let the thread end; what is loaded goes on answering."""
        self._stopped.set()
        self._look.set()
        self._online.stop()

    def answer(self, slug: str, queries: Sequence[Any]) -> Answer[Any]:
        """Ask the champion of a slug; each prediction is given an id that names the version too.

        Raises
        ------
        NotLoadedError
            If no version has been loaded.
        """
        champion = self._loaded(slug)
        version = champion.version.version
        predictions = [_identified(prediction, new_prediction_id(slug, version)) for prediction in champion.model.predict(queries)]
        return Answer(model=ModelRef(slug=slug, version=version), predictions=predictions)

    def ask(self, slug: str, question: str, request: Any) -> tuple[ModelRef, Any]:
        """Ask the champion of a slug a further question: who answered, and what.

        Raises
        ------
        NotLoadedError
            If no version has been loaded.
        InputError
            If the model cannot answer this request.
        """
        champion = self._loaded(slug)
        return ModelRef(slug=slug, version=champion.version.version), getattr(champion.model, question)(request)

    def model(self, slug: str) -> AnyModel | None:
        """The model that answers for a slug now."""
        champion = self._champions.get(slug)
        return champion.model if champion is not None else None

    def missing(self) -> list[str]:
        """Why each selected model that is not loaded is not."""
        return [self._why_not(slug) for slug in self.slugs if slug not in self._champions]

    def status(self) -> list[ModelStatus]:
        """Which version answers for each selected slug, and what is wrong, if anything."""
        return [
            _status(slug, self._champions.get(slug), self._problems.get(slug)).model_copy(update={"online": self._online.status(slug)})
            for slug in self.slugs
        ]

    def refresh(self) -> None:
        """Ask the registry once for every selected slug, and exchange what is newer."""
        changed = [self._refresh(slug) for slug in self.slugs]
        if any(changed):
            _settle()

    def _keep_current(self) -> None:
        while not self._stopped.is_set():
            self._look.clear()
            self.refresh()
            self._look.wait(self._reload_seconds)

    def _look_now(self) -> None:
        """Do not wait until it is time to ask again."""
        self._look.set()

    def _refresh(self, slug: str) -> bool:
        try:
            return self._take_newer(slug)
        except Exception as error:  # whatever is wrong with a version, the one that answers must go on answering
            expected = isinstance(error, ForetellError)
            problem = str(error) if expected else f"{type(error).__name__}: {error}"
            if self._problems.get(slug) != problem:
                logger.warning("%s: %s", slug, problem, exc_info=not expected)
            self._problems[slug] = problem
            if isinstance(error, StoreError):
                return False
        return (slug not in self._champions or self._lacks_events(slug)) and self._take_last_good(slug)

    def _take_newer(self, slug: str) -> bool:
        found = self._registry.resolve(slug)
        current = self._champions.get(slug)
        if (
            current is not None
            and (current.version.version, current.version.manifest_sha256) == (found.version, found.manifest_sha256)
            and not self._lacks_events(slug)
        ):
            if current.source != "registry" or current.version != found:
                self._champions[slug] = Champion(current.model, found, "registry", current.loaded_at)
            if not self._registry.is_kept(found):  # what is on disk is purged when somebody is forgotten
                self._registry.download(found)
                self._registry.keep(found)
            self._problems.pop(slug, None)
            return False
        self._exchange(found, self._registry.read, "registry")
        self._problems.pop(slug, None)
        self._registry.keep(found)
        logger.info("%s version %s answers now", slug, found.version)
        return True

    def _take_last_good(self, slug: str) -> bool:
        for version, folder in self._registry.last_good(slug):
            try:
                self._exchange(version, partial(_read_from, folder), "disk")
            except StoreError as error:
                self._problems[slug] = f"{self._problems[slug]}; {error}"
                return slug in self._champions
            except Exception as error:  # then the one before it may do
                logger.warning("%s version %s on disk: %r", slug, version.version, error)
            else:
                return True
        return False

    def _exchange(self, version: Version, read_it: Callable[[Version], AnyModel], source: Source) -> None:
        """Let a version answer from now on, if it can answer the example."""

        def accept(model: AnyModel) -> None:
            _try(model)
            self._champions[version.slug] = Champion(model, version, source)

        if not is_online(version.slug):
            return accept(read_it(version))
        try:
            self._online.exchange(version, read_it, accept)
        except StoreError:
            if version.slug not in self._champions:  # rather without the events than no answer
                accept(read_it(version))
            raise

    def _lacks_events(self, slug: str) -> bool:
        return is_online(slug) and self._online.outdated(slug)

    def _loaded(self, slug: str) -> Champion:
        champion = self._champions.get(slug)
        if champion is None:
            raise NotLoadedError(self._why_not(slug))
        return champion

    def _why_not(self, slug: str) -> str:
        return f"{slug} is not loaded: {self._problems.get(slug, 'it is being loaded')}"


def _read_from(folder: Path, version: Version) -> AnyModel:
    return read(version, folder)


def _try(model: AnyModel) -> None:
    """Let a model answer the example of its contract: one that cannot must not take over, and what is lazy is ready after."""
    query = model.contract.query
    model.predict([query.model_validate(example) for example in query.model_config["json_schema_extra"]["examples"]])


def _identified(prediction: Prediction, prediction_id: str) -> Prediction:
    return prediction.model_copy(update={"prediction_id": prediction_id})


def _status(slug: str, champion: Champion | None, problem: str | None) -> ModelStatus:
    if champion is None:
        return ModelStatus(slug=slug, ready=False, problem=problem or "it is being loaded")
    version = champion.version
    return ModelStatus(
        slug=slug,
        ready=True,
        version=version.version,
        source=champion.source,
        trained_at=version.tags.get("trained_at"),
        loaded_at=champion.loaded_at,
        tags=version.tags,
        metrics=version.metrics,
        problem=problem,
    )


def _settle() -> None:
    """Move the loaded models out of the garbage collector's sight.

    It would walk their many objects again and again while requests wait: p99 of a toy endpoint 220 ms, and 22 ms after this. Products of
    matrices get one thread: with two, one waits for the other to be scheduled, and intent took 30 ms instead of 10 on a busy machine.
    """
    threadpool_limits(1, user_api="blas")
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
