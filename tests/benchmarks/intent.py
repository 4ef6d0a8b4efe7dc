"""Intent on every set of a folder, beside what one would use instead; one configuration for all sets.

A set is a folder with ``train.csv`` and ``test.csv`` (a text and an intent column), ``sample.csv`` alone (every fifth row is the test),
CLINC150's ``data_full.json``, or SNIPS's ``train_*_full.json`` and ``validate_*.json``. Peers tell out of scope by the probability of
their answer. Each system learns in a process of its own: ``peak_mib`` is the most memory that it took. Timings are of one text at a time;
``megabytes`` is what lies on disk, the encoder counted in. For one set alone name its folder with ``--data``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from models.encoder.export import packaged_source
from models.intent import OUT_OF_SCOPE, Intent, IntentConfig, IntentExample, IntentPrediction, IntentQuery
from models.rows import read_rows
from tests.benchmarks._alone import alone, peak_mebibytes
from training.metrics import binary_metrics, ece

DATA = "intent"

_LABELS = ("intent", "category", "label", "class")
_TEXTS = ("text", "utterance", "query", "sentence")
_TIMED, _EVERY = 200, 5

Rows = list[tuple[str, str]]
"""Texts and intents."""


@dataclass(frozen=True)
class Task:
    """Rows to learn from and rows to be judged on; intents that are not learned are out of scope."""

    data: str
    train: Rows
    test: Rows


@dataclass(frozen=True)
class Answers:
    """What a system says of each text."""

    intent: Sequence[str | None]
    probability: NDArray[np.float64]
    out_of_scope: NDArray[np.float64]


Ask = Callable[[Sequence[str]], Answers]


def run(data: Path) -> list[dict[str, object]]:
    """Quality, milliseconds for one text, seconds and memory to fit, for each set and system."""
    return [alone(__file__, folder, system) for folder in folders(data) for system in SYSTEMS]


def folders(data: Path) -> list[Path]:
    """The folders that hold a set."""
    return [folder for folder in sorted({path.parent for path in data.rglob("*") if path.is_file()}) if task_of(folder)]


def task_of(folder: Path) -> Task | None:
    """The set in a folder, if there is one."""
    if (folder / "train.csv").is_file() and (folder / "test.csv").is_file():
        return Task(folder.name, _csv(folder / "train.csv"), _csv(folder / "test.csv"))
    if (folder / "sample.csv").is_file():
        rows = _csv(folder / "sample.csv")
        return Task(folder.name, [row for place, row in enumerate(rows) if place % _EVERY], rows[::_EVERY])
    if (folder / "data_full.json").is_file():
        parts = json.loads((folder / "data_full.json").read_text())
        rows_of = {name: [(text, OUT_OF_SCOPE if intent == "oos" else intent) for text, intent in part] for name, part in parts.items()}
        train = [row for name in ("train", "val", "oos_train", "oos_val") for row in rows_of[name]]
        return Task(folder.name, train, rows_of["test"] + rows_of["oos_test"])
    if any(folder.glob("train_*_full.json")):
        return Task(folder.name, _snips(folder, "train_*_full.json"), _snips(folder, "validate_*.json"))
    return None


def _measured(task: Task, system: str) -> dict[str, object]:
    """One row, by a process that has done nothing else."""
    figures = judged(system, task)
    return {"system": system, "data": task.data, **figures, "peak_mib": round(peak_mebibytes())}


def _csv(path: Path) -> Rows:
    columns = path.open(encoding="utf-8-sig").readline().strip().replace('"', "").split(",")
    mapping = {"text": next(name for name in _TEXTS if name in columns), "intent": next(name for name in _LABELS if name in columns)}
    return [(row.text, row.intent) for row in read_rows(path, IntentExample, mapping)]


def _snips(folder: Path, pattern: str) -> Rows:
    rows = []
    for path in sorted(folder.glob(pattern)):
        for intent, utterances in json.loads(path.read_text(encoding="latin-1")).items():
            rows += [("".join(part["text"] for part in utterance["data"]), intent) for utterance in utterances]
    return rows


def foretell(task: Task, config: IntentConfig | None = None) -> dict[str, float]:
    """The model under test, with its defaults unless told otherwise."""
    started = time.perf_counter()
    model = Intent(config).fit(IntentExample(text=text, intent=intent) for text, intent in task.train)
    seconds = time.perf_counter() - started

    def ask(texts: Sequence[str]) -> list[IntentPrediction]:
        return model.predict([IntentQuery(text=text) for text in texts])

    known = {intent for _, intent in task.train}
    texts, truth = [text for text, _ in task.test], [intent if intent in known else OUT_OF_SCOPE for _, intent in task.test]
    found = ask(texts)
    inside = [(answer, true) for answer, true in zip(found, truth, strict=True) if true != OUT_OF_SCOPE]
    metrics = _metrics(answers_of(found), truth) | {
        "conformal_coverage": float(np.mean([true in {c.intent for c in answer.candidates} for answer, true in inside])),
        "conformal_size": float(np.mean([len(answer.candidates) for answer, _ in inside])),
        "tier_1_share": float(np.mean([answer.tier == 1 for answer, _ in inside])),
        "fit_seconds": seconds,
        "megabytes": _megabytes(model),
        **model.timings_,
    }
    easy, hard = ([text for text, answer in zip(texts, found, strict=True) if answer.tier == tier] for tier in (1, 2))
    cascade = model.cascade_
    model.cascade_ = replace(cascade, doubt=replace(cascade.doubt, handover=1.0))
    alone = ask(texts)
    metrics["tier_2_accuracy"] = float(np.mean([a.intent == true for a, true in zip(alone, truth, strict=True) if true != OUT_OF_SCOPE]))
    if OUT_OF_SCOPE in truth:
        metrics["tier_2_oos_roc_auc"] = _scope([answer.out_of_scope for answer in alone], truth)["oos_roc_auc"]
        metrics["max_probability_oos_roc_auc"] = _scope([1 - answer.probability for answer in alone], truth)["oos_roc_auc"]
    model.cascade_ = cascade
    timings = {"tier_1_ms": easy, "tier_2_ms": hard}
    return metrics | {name: _milliseconds(ask, some) for name, some in timings.items() if len(some) >= 20}


def answers_of(found: Sequence[IntentPrediction]) -> Answers:
    probability, outside = [answer.probability for answer in found], [answer.out_of_scope for answer in found]
    return Answers([answer.intent for answer in found], np.array(probability), np.array(outside))


def _megabytes(model: Intent) -> float:
    with TemporaryDirectory() as folder:
        model.save(Path(folder, "model"))
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def fast_text(train: Rows) -> Ask:
    """FastText with pairs of words and pieces of words, as its authors train short texts."""
    import fasttext  # each process loads what it measures, or memory would count the others

    with TemporaryDirectory() as folder:
        file = Path(folder, "train.txt")
        names = sorted({intent for _, intent in train})
        file.write_text("\n".join(f"__label__{names.index(intent)} {_one_line(text)}" for text, intent in train), encoding="utf-8")
        settings = {"lr": 0.5, "epoch": 50, "wordNgrams": 2, "minn": 2, "maxn": 5, "dim": 100, "thread": 1, "verbose": 0}
        model = fasttext.train_supervised(str(file), **settings)

    def ask(texts: Sequence[str]) -> Answers:
        # model.predict raises with numpy 2.
        found = [model.f.predict(_one_line(text) + "\n", 1, 0.0, "strict")[0] for text in texts]
        probability = np.array([min(share, 1.0) for share, _ in found])
        return Answers([names[int(label.removeprefix("__label__"))] for _, label in found], probability, 1 - probability)

    return ask


def _one_line(text: str) -> str:
    return " ".join(text.lower().split())


def tfidf_logistic(train: Rows) -> Ask:
    """Words and pairs of words, the textbook pipeline."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=30, max_iter=2_000))
    model.fit([text for text, _ in train], [intent for _, intent in train])
    return lambda texts: _from_shares(model.predict_proba(texts), model.classes_)


def minilm_logistic(train: Rows) -> Ask:
    """Sentence vectors of MiniLM on torch, under logistic regression."""
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    encoder = SentenceTransformer(str(packaged_source()), device="cpu")
    model = LogisticRegression(C=30, max_iter=2_000)
    model.fit(encoder.encode([text for text, _ in train], show_progress_bar=False), [intent for _, intent in train])
    return lambda texts: _from_shares(model.predict_proba(encoder.encode(list(texts), show_progress_bar=False)), model.classes_)


def _from_shares(shares: NDArray[np.float64], names: NDArray[np.str_]) -> Answers:
    """Out-of-scope rows are a class of their own to a peer; its answer is the best of the others."""
    inside = names != OUT_OF_SCOPE
    best = shares[:, inside].argmax(axis=1)
    probability = shares[:, inside].max(axis=1)
    return Answers([str(name) for name in names[inside][best]], probability, 1 - probability)


PEERS: dict[str, Callable[[Rows], Ask]] = {
    "fastText": fast_text,
    "TF-IDF, logistic": tfidf_logistic,
    "MiniLM on torch, logistic": minilm_logistic,
}
SYSTEMS = ("foretell", *PEERS)


def judged(system: str, task: Task) -> dict[str, float]:
    """Quality and timings of a system on the rows to be judged on."""
    if system == "foretell":
        return foretell(task)
    started = time.perf_counter()
    ask = PEERS[system](task.train)
    seconds = time.perf_counter() - started
    known = {intent for _, intent in task.train}
    truth = [intent if intent in known else OUT_OF_SCOPE for _, intent in task.test]
    texts = [text for text, _ in task.test]
    return _metrics(ask(texts), truth) | {"fit_seconds": seconds, "single_ms": _milliseconds(ask, texts)}


def _metrics(answers: Answers, truth: Sequence[str]) -> dict[str, float]:
    inside = np.array([true != OUT_OF_SCOPE for true in truth])
    right = np.array([answer == true for answer, true in zip(answers.intent, truth, strict=True)])[inside]
    metrics = {"accuracy": float(right.mean()), "ece": ece(right, answers.probability[inside])}
    return metrics | (_scope(answers.out_of_scope, truth) if not inside.all() else {})


def _scope(scores: Sequence[float] | NDArray[np.float64], truth: Sequence[str]) -> dict[str, float]:
    values, outside = np.asarray(scores), np.array([true == OUT_OF_SCOPE for true in truth])
    limit = np.quantile(values[~outside], 0.95)
    return {"oos_roc_auc": binary_metrics(outside, values)["roc_auc"], "oos_recall_at_5": float((values[outside] > limit).mean())}


def _milliseconds(ask: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """The median for one text."""
    seconds = []
    for text in texts[:_TIMED]:
        started = time.perf_counter()
        ask([text])
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1e3


if __name__ == "__main__":
    if found := task_of(Path(sys.argv[1])):
        print(json.dumps(_measured(found, sys.argv[2])))
