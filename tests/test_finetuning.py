"""A fine-tuned encoder: as torch computes it, the same whenever it is tuned, and served without torch."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from models.encoder import Encoder, default_encoder
from models.encoder.export import default_source, tuned_encoder
from models.errors import InputError
from models.intent import Intent, IntentConfig, IntentExample, IntentQuery, finetuning
from models.intent.meaning import members_of, token_weights
from tests.test_intent import toy

ROOT = Path(__file__).parent.parent
QUESTIONS = ["where is my package", "please refund my order", "the login page shows an error", "stop my subscription now"]


@pytest.fixture(scope="module")
def shared_home(encoder_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    return home


@pytest.fixture(scope="module")
def fitted(shared_home: Path) -> Intent:
    """Tuned for a few epochs, thrice instead of six times, with time enough that the clock cuts nothing off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(shared_home))
        patch.setattr(finetuning, "MOST_EPOCHS", finetuning.LEAST_EPOCHS)
        patch.setattr(finetuning, "PARTS", 2)
        return Intent(IntentConfig(finetune_minutes=60)).fit(toy())


@pytest.fixture
def encoder(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    monkeypatch.setenv("FORETELL_HOME", str(shared_home))
    return default_encoder()


def test_tuned_top_agrees_with_torch_and_leaves_the_other_layers_alone(encoder: Encoder) -> None:
    from models.intent.tuning import Tuner

    # Both intents have the same things and the same troubles: only weights that have learned their combinations tell them apart.
    things, troubles = (("card", "pin", "bank"), ("parcel", "box", "order")), (("lost", "gone"), ("late", "slow"))
    planted = {f"my {thing} is {trouble}": int(a != b) for a in (0, 1) for b in (0, 1) for thing in things[a] for trouble in troubles[b]}
    texts, codes = [*planted, "word " * 60], np.array([*planted.values()])
    rows, start = np.arange(len(planted)), _start(encoder, [*planted], codes)
    weights = token_weights(encoder.tokens(texts), encoder.n_tokens)
    tuner = Tuner(default_source(), encoder.tokens(texts), weights)
    tuned = tuner.tune(rows, codes, start, steps=12, seed=0, seconds=float("inf"))
    own = tuned_encoder(tuned.layers)
    layers = own.encode_layers(texts, weights)
    assert_array_equal(layers[:, :-384], encoder.encode_layers(texts, weights))
    assert (layers[:, -384:] * tuner.vectors(tuned.layers, np.arange(len(texts)))).sum(axis=1).min() > 0.98
    assert ((encoder.encode([*planted]) @ start).argmax(axis=1) == codes).mean() < 0.8
    assert (layers[rows, -384:] @ tuned.head).argmax(axis=1).tolist() == codes.tolist()
    assert own.sha256 != encoder.sha256


def test_same_rows_seed_and_steps_give_the_same_weights(encoder: Encoder) -> None:
    from models.intent.tuning import Tuner

    texts = [row.text for row in toy()]
    rows, codes = np.arange(len(texts)), np.arange(len(texts)) % 4

    tuner = Tuner(default_source(), encoder.tokens(texts), np.ones(encoder.n_tokens, dtype=np.float32))

    def tune(seed: int) -> dict[str, np.ndarray]:
        found = tuner.tune(rows, codes, _start(encoder, texts, codes), steps=2, seed=seed, seconds=float("inf"))
        return found.layers | {"head": found.head}

    one, again, other = tune(0), tune(0), tune(1)
    assert one.keys() == again.keys()
    assert all((value == again[name]).all() for name, value in one.items())
    assert any((value != other[name]).any() for name, value in one.items())


def test_however_many_tokens_are_hidden_something_of_each_text_is_learned(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.intent import tuning

    monkeypatch.setattr(tuning, "HIDDEN", 1.0)
    texts, codes, rows = ["card", "where is my parcel"], np.arange(2), np.arange(2)
    tuner = tuning.Tuner(default_source(), encoder.tokens(texts), np.ones(encoder.n_tokens, dtype=np.float32))
    tuned = tuner.tune(rows, codes, _start(encoder, texts, codes), steps=3, seed=0, seconds=float("inf"))
    assert_allclose(np.linalg.norm(tuner.vectors(tuned.layers, rows), axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(("spent", "rate"), [(0.0, 0.5), (2 / 3, 0.5), (0.9, 0.3), (1.1, 0.0)])
def test_rate_falls_to_nothing_where_time_runs_out_before_the_steps(spent: float, rate: float) -> None:
    import torch

    from models.intent.tuning import _schedule

    schedule = _schedule(torch.optim.SGD([torch.zeros(1)], lr=1.0), 1_000, lambda: spent)
    assert schedule.lr_lambdas[0](550) == pytest.approx(rate)


def _start(encoder: Encoder, texts: list[str], codes: np.ndarray) -> np.ndarray:
    sums = encoder.encode(texts).T @ members_of(codes, int(codes.max()) + 1)
    return np.asarray(sums / np.linalg.norm(sums, axis=0))


def test_saved_model_answers_the_same_without_torch(fitted: Intent, tmp_path: Path, shared_home: Path) -> None:
    fitted.save(tmp_path / "model")
    code = (
        "import sys, json; from pathlib import Path; from models.intent import Intent, IntentQuery\n"
        "model = Intent.load(Path(sys.argv[1]))\n"
        "answers = model.predict([IntentQuery(text=text) for text in json.load(sys.stdin)])\n"
        "assert not {'torch', 'sentence_transformers'} & sys.modules.keys()\n"
        "json.dump([answer.model_dump(mode='json') for answer in answers], sys.stdout)"
    )
    env = os.environ | {"FORETELL_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path / "model")]
    done = subprocess.run(command, input=json.dumps(QUESTIONS), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = fitted.predict([IntentQuery(text=text) for text in QUESTIONS])
    assert json.loads(done.stdout) == [answer.model_dump(mode="json") for answer in answers]
    assert 2 in {answer.tier for answer in answers}


def test_tuned_intents_are_answered(fitted: Intent) -> None:
    answers = fitted.predict([IntentQuery(text=text) for text in QUESTIONS])
    assert [answer.intent for answer in answers] == ["ShippingStatus", "Refund", "TechSupport", "Cancel"]
    assert fitted.figures_["finetune_epochs"] == finetuning.LEAST_EPOCHS
    assert fitted.figures_["finetune_done"] == 1
    assert fitted.timings_["finetune_seconds"] > 0


def test_rows_are_scored_by_encoders_that_had_not_learned_them(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of labels drawn at random nothing can be known: only an encoder that has learned a row tells its label."""
    monkeypatch.setattr(finetuning, "MOST_EPOCHS", 12)
    monkeypatch.setattr(finetuning, "PARTS", 2)
    texts = [row.text for row in toy()]
    codes = np.random.default_rng(0).permutation(np.arange(len(texts)) % 4)
    weights, judged = np.ones(encoder.n_tokens, dtype=np.float32), np.ones(len(texts), dtype=np.bool_)
    tuned = finetuning.fine_tune(60, encoder, texts, weights, encoder.encode(texts), codes, 4, judged, 0)
    assert not np.isnan(tuned.held_out).any()
    assert (tuned.view.scores(tuned.encoder.encode_layers(texts)).argmax(axis=1) == codes).mean() > 0.9
    assert (tuned.held_out.argmax(axis=1) == codes).mean() < 0.6


def plan(n_rows: int, minutes: float) -> finetuning._Plan:
    codes = np.arange(n_rows) % 50
    return finetuning._Plan.of(codes, np.ones(n_rows, dtype=np.bool_), np.full(n_rows, 10), minutes, 0)


def test_of_many_rows_one_fifth_is_held_out() -> None:
    many = plan(10_000, 600)
    first, last = many.held_out
    assert first.sum() == 2_000
    assert not last.any()
    assert [len(rows) for rows in many.learned] == [8_000, 10_000]
    assert many.epochs == finetuning.LEAST_EPOCHS
    assert_allclose(many.ends, [4 / 9, 1])


@pytest.mark.parametrize(("n_rows", "parts"), [(100, 5), (1_500, 5), (2_500, 3), (5_000, 2), (7_500, 1)])
def test_fewer_rows_are_held_out_in_more_parts(n_rows: int, parts: int) -> None:
    *held_out, _ = plan(n_rows, 600).held_out
    assert len(held_out) == parts
    assert np.sum(held_out, axis=0).max() == 1


def test_little_time_is_fewer_epochs() -> None:
    assert plan(10_000, 1).epochs == pytest.approx(60 * finetuning.TOKENS_PER_SECOND / 180_000)


def test_clock_cuts_off_what_a_slow_machine_cannot_do_and_says_so(
    encoder: Encoder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetuning, "TOKENS_PER_SECOND", 1e9)
    monkeypatch.setattr(finetuning, "ENOUGH", 1)
    texts, codes = [row.text for row in toy()], np.repeat(np.arange(4), 5)
    weights, judged = np.ones(encoder.n_tokens, dtype=np.float32), np.ones(len(texts), dtype=np.bool_)
    with caplog.at_level(logging.WARNING):
        tuned = finetuning.fine_tune(1e-6, encoder, texts, weights, encoder.encode(texts), codes, 4, judged, 0)
    assert tuned.figures["finetune_done"] == 0
    assert "fine-tuning had time for 0 of" in caplog.text


def test_without_being_asked_nothing_is_tuned(home: Path) -> None:
    state = Intent().fit(toy())._state()
    assert "tuned.npz" not in state
    assert state["doubt.json"].keys() == {"fast", "full", "handover"}
    assert state["encoder"] is default_encoder()


def test_missing_torch_is_named(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "models.intent.tuning", raising=False)
    with pytest.raises(InputError, match=r"expected torch to fine-tune the encoder with, which is not installed: pip install 'foretell\["):
        Intent(IntentConfig(finetune_minutes=1)).fit(toy())


def test_too_few_rows_are_refused(encoder: Encoder) -> None:
    rows = [IntentExample(text="money back", intent="Refund"), IntentExample(text="where is it", intent="ShippingStatus")]
    with pytest.raises(InputError, match="expected at least 20 messages to fine-tune the encoder with, got 2"):
        Intent(IntentConfig(finetune_minutes=1)).fit(rows)
