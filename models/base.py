"""The one shape of a model, and the only code that saves and loads one.

A saved model is a folder: ``manifest.json`` beside the parts it lists, each with its sha256. A part's file ending decides how it
is written (JSON, npz, text such as LightGBM's, the bytes of CRFsuite; the encoder's ONNX is copied), and nothing else
can be saved or loaded: no pickle.
"""

from __future__ import annotations

import hashlib
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from models.digest import sha256_of
from models.encoder import Encoder
from models.errors import ModelFolderError, NotFittedError, TamperedError, WrongFormatError, WrongSlugError

if TYPE_CHECKING:
    from models.feedback import Observed

FORMAT = 1
MANIFEST = "manifest.json"
ENCODER = "encoder"

Part = Any
"""A JSON value, a mapping of arrays, text, bytes or an `Encoder`; the part's name decides which."""


class Record(BaseModel):
    """A row of a file or a query over HTTP; immutable, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rest: ClassVar[str | None] = None
    """The field, a mapping, that takes the columns of a flat file which no other field names. ``None``: they are ignored."""

    subject: ClassVar[str | None] = None
    """The field that identifies the person a row is about: stored as it is, while personal data in any other text is masked."""

    past: ClassVar[tuple[str, ...]] = ()
    """Fields, instants, that cannot be in the future: events that say otherwise are refused where they are reported, by our clock."""

    reader: ClassVar[Callable[..., Any] | None] = None
    """What reads files of such rows that are no tables: `models.rows.formats.Reader`. ``None``: tables, JSON lines and Parquet only."""

    def kept(self) -> Self:
        """What of a query is stored beside its prediction, until its outcome is known: all of it, unless a query says otherwise."""
        return self


class Config(BaseModel):
    """A model's settings; each with bounds and units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0, description="Seed of every random choice made while fitting.")


class Prediction(BaseModel):
    """One answer."""

    model_config = ConfigDict(frozen=True)

    prediction_id: str | None = Field(default=None, description="Names this answer when its outcome is reported; given by the server.")


C = TypeVar("C", bound=Config)
Q = TypeVar("Q", bound=Record)
E = TypeVar("E", bound=Record)
P = TypeVar("P", bound=Prediction)


@dataclass(frozen=True)
class Question:
    """Something that can be asked of a model beside its predictions; a method of the model of that name answers it.

    Parameters
    ----------
    name
        The method, and the last part of its route.
    request
        The type of the method's one argument.
    reply
        The type of what it gives; or a media type such as ``image/svg+xml``, for text that is sent as it is.
    """

    name: str
    request: type[BaseModel]
    reply: type[BaseModel] | str


@dataclass(frozen=True)
class View(Generic[P]):
    """A stored prediction, shown as something else than JSON: ``GET /v1/<slug>/<prediction_id>/<name>``.

    Parameters
    ----------
    name
        The last part of its route, such as ``timeline.svg``.
    media_type
        Of what `draw` gives.
    draw
        Makes text of a prediction; needs nothing else, so a prediction must hold all that is drawn.
    """

    name: str
    media_type: str
    draw: Callable[[P], str]


@dataclass(frozen=True)
class Contract(Generic[C, Q, E, P]):
    """What a model promises to read and to answer.

    Parameters
    ----------
    slug
        Its name everywhere: file, experiment, registered model, route, data folder.
    config, query, example, prediction
        The types of its settings, its requests, its training rows and its answers.
    event
        The type of what `OnlineModel.update` takes; ``None`` for a model that learns only in training.
    outcome
        The type of what turned out to be true of a prediction, as reported later; ``None``: nothing can be reported.
    questions
        What else can be asked.
    views
        What a stored prediction can be shown as; only where outcomes may be reported, because no other predictions are stored.
    """

    slug: str
    config: type[C]
    query: type[Q]
    example: type[E]
    prediction: type[P]
    event: type[Record] | None = None
    outcome: Any = None
    questions: tuple[Question, ...] = ()
    views: tuple[View[Any], ...] = ()


class Model(ABC, Generic[C, Q, E, P]):
    """A model: fitted from examples, asked with queries, saved to and loaded from a folder.

    ``__init__`` only assigns; what is learned ends in an underscore. `predict` may be called from several threads at once.
    """

    contract: ClassVar[Contract[Any, Any, Any, Any]]

    def __init__(self, config: C | None = None) -> None:
        self.config: C = config if config is not None else self.contract.config()

    @abstractmethod
    def fit(self, examples: Iterable[E]) -> Self:
        """Learn from training rows, in the order given; forget what was learned before.

        Raises
        ------
        InputError
            If the examples cannot teach this model anything: none, or a label with one class.
        """

    @abstractmethod
    def predict(self, queries: Sequence[Q]) -> list[P]:
        """One prediction per query, in order; the same whether a query comes alone or in a batch.

        Raises
        ------
        NotFittedError
            Before `fit` or `load`. Nothing else: what cannot be known is an answer, not an exception.
        """

    @abstractmethod
    def _state(self) -> dict[str, Part]:
        """What was learned, as parts by file name; the key ``encoder`` holds the `Encoder`, if the model uses it."""

    @abstractmethod
    def _restore(self, parts: Mapping[str, Part]) -> None:
        """Take back what `_state` gave."""

    def _require_fitted(self) -> None:
        if not any(name.endswith("_") for name in vars(self)):
            raise NotFittedError(f"{type(self).__name__} is not fitted: expected fit or load before predict or save")

    def save(self, folder: Path, *, data_sha256: str = "") -> str:
        """Write the model to a new or empty folder; the same model gives the same bytes.

        Parameters
        ----------
        folder
            Is created.
        data_sha256
            Hash of the training data, for the manifest.

        Returns
        -------
        str
            The sha256 of the manifest, which vouches for every part.
        """
        self._require_fitted()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ModelFolderError(f"expected a new or empty folder to save {self.contract.slug} in, got {folder}")
        for name, part in self._state().items():
            if name == ENCODER:
                part.save(folder / ENCODER)
            else:
                (folder / name).write_bytes(_codec(name).dump(part))
        manifest = {
            "format": FORMAT,
            "slug": self.contract.slug,
            "config": self.config.model_dump(mode="json"),
            "data_sha256": data_sha256,
            "parts": {name: sha256_of(folder / name) for name in _files(folder)},
        }
        (folder / MANIFEST).write_bytes(_dump_json(manifest))
        return sha256_of(folder / MANIFEST)

    def fingerprint(self) -> str:
        """A hash of what was learned and of the settings: equal if and only if the saved folders are. Faster than saving."""
        self._require_fitted()
        digest = hashlib.sha256(_dump_json(self.config.model_dump(mode="json")))
        for name, part in sorted(self._state().items()):
            digest.update(name.encode())
            if isinstance(part, Encoder):
                digest.update(part.sha256.encode())
            elif Path(name).suffix == ".npz":
                for key, array in sorted(part.items()):
                    digest.update(f"{key} {array.dtype.str} {array.shape}".encode())
                    digest.update(np.ascontiguousarray(array).view(np.uint8).data)
            else:
                digest.update(_codec(name).dump(part))
        return digest.hexdigest()

    @classmethod
    def load(cls, folder: Path, *, manifest_sha256: str | None = None) -> Self:
        """Read a model that `save` wrote; every byte is checked before it is used.

        Parameters
        ----------
        manifest_sha256
            What `save` returned, when the caller has it from elsewhere (the registry); ``None`` trusts the manifest in the folder.

        Raises
        ------
        WrongSlugError, WrongFormatError, TamperedError
            If the folder is another model, another format, or not as it was saved.
        """
        manifest = read_manifest(folder, manifest_sha256)
        slug = cls.contract.slug
        if manifest["slug"] != slug:
            raise WrongSlugError(f"expected a {slug} model in {folder}, got a {manifest['slug']} model")
        contents = _verified(folder, manifest["parts"])
        model = cls(cls.contract.config.model_validate(manifest["config"]))
        parts: dict[str, Part] = {name: _codec(name).load(data) for name, data in contents.items() if "/" not in name}
        if any(name.startswith(f"{ENCODER}/") for name in contents):
            parts[ENCODER] = Encoder.shared(folder / ENCODER)
        try:
            model._restore(parts)
        except (KeyError, TypeError, ValueError) as error:
            raise WrongFormatError(f"expected the parts that this version of {slug} reads in {folder}, got others: train again") from error
        return model


class OnlineModel(Model[C, Q, E, P]):
    """A model that goes on learning between trainings."""

    @abstractmethod
    def update(self, events: Iterable[Any]) -> Self:
        """Learn from what just happened; the order of events with the same instant does not matter.

        Deterministic, so that every worker that replays the same events reaches the same state. Called from one thread, while
        others may be in `predict`.
        """

    @abstractmethod
    def forget(self, subject: str) -> Self:
        """Drop what was learned of one person (see `Record.subject`), so that nothing saved afterwards names them.

        A model that names nobody returns itself. Called while nobody is in `predict`.
        """

    @classmethod
    def lesson(cls, observed: Observed[Any, Any]) -> Any:
        """The event that the reported outcome of a prediction is, for every worker to learn from; ``None`` if it is none.

        It is stored beside the outcome. An outcome that is corrected is another event.
        """
        return None

    def refusal(self, event: Any) -> str | None:
        """Why `update` cannot take an event that its type allows, in one sentence; ``None`` if it can.

        Stored events outlive the version that accepted them: workers pass over those that theirs refuses.
        """
        return None


@dataclass(frozen=True)
class _Codec:
    dump: Callable[[Part], bytes]
    load: Callable[[bytes], Part]


def _dump_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _dump_npz(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _load_npz(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return dict(arrays)


_CODECS = {
    ".json": _Codec(_dump_json, json.loads),
    ".npz": _Codec(_dump_npz, _load_npz),
    ".txt": _Codec(str.encode, bytes.decode),
    ".crfsuite": _Codec(bytes, bytes),
}


def _codec(name: str) -> _Codec:
    codec = _CODECS.get(Path(name).suffix)
    if codec is None or Path(name).name != name:
        raise ModelFolderError(f"expected a plain file name ending in one of {', '.join(_CODECS)}, got {name!r}")
    return codec


def read_manifest(folder: Path, manifest_sha256: str | None = None) -> dict[str, Any]:
    """The manifest of a saved model, checked for its own hash (when given) and its format.

    Raises
    ------
    WrongFormatError, TamperedError, ModelFolderError
        If there is none, or not the expected one.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelFolderError(f"expected a saved model in {folder}, found no {MANIFEST}")
    data = path.read_bytes()
    if manifest_sha256 is not None and hashlib.sha256(data).hexdigest() != manifest_sha256:
        raise TamperedError(f"expected the manifest {manifest_sha256[:12]} in {folder}, got another: fetch or train the version again")
    try:
        manifest: dict[str, Any] = json.loads(data)
        written_format = manifest["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise TamperedError(f"expected {path} to be the JSON that Foretell wrote, got something else") from error
    if written_format != FORMAT:
        raise WrongFormatError(f"expected model format {FORMAT} in {folder}, got {written_format}: train the model again")
    return manifest


def _files(folder: Path) -> list[str]:
    """Names of the files below a folder, with forward slashes, sorted; the manifest is not among them."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(name for name in names if name != MANIFEST)


def _verified(folder: Path, expected: Mapping[str, str]) -> dict[str, bytes]:
    """The bytes of every part; each file is read once, so what was checked is what is used."""
    if (found := _files(folder)) != sorted(expected):
        raise TamperedError(f"expected the parts {sorted(expected)} in {folder}, found {found}")
    contents = {}
    for name, digest in expected.items():
        contents[name] = (folder / name).read_bytes()
        if hashlib.sha256(contents[name]).hexdigest() != digest:
            raise TamperedError(f"{name} in {folder} changed since it was saved: fetch or train the version again")
    return contents
