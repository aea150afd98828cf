"""Texts to vectors: each text once, whatever embeds it, and forgotten whatever embedded it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from include.freezeline.adapters.embedding_cache import EmbeddingCache, Float32Array, text_hash
from include.freezeline.adapters.embeddings import SentenceEmbedder, forget_texts
from include.freezeline.settings import Settings


@dataclass
class FakeRuntime:
    """Gives the length of a text, and remembers the texts."""

    name: str
    seen: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> Float32Array:
        self.seen += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


@dataclass
class FakeChoice:
    """A runtime that may turn out to be another than was expected."""

    runtime: FakeRuntime
    expected: str = "fast"
    model: str = "m@1"

    def open(self) -> FakeRuntime:
        return self.runtime


@pytest.fixture
def path(settings: Settings) -> Path:
    settings.cache_dir.mkdir(parents=True)
    return settings.cache_dir / "embeddings.sqlite"


def _embed(
    path: Path, texts: Sequence[str], *, model: str = "m@1", name: str = "fast"
) -> tuple[list[str], int]:
    """Return which texts were computed."""
    runtime = FakeRuntime(name)
    embedder = SentenceEmbedder(FakeChoice(runtime, name, model), EmbeddingCache(path))
    assert [row[0] for row in embedder(texts)] == [len(text) for text in texts]
    return runtime.seen, embedder.n_computed


def test_a_text_is_computed_once_for_a_model_and_runtime(path: Path) -> None:
    assert _embed(path, ["bb", "a", "bb"]) == (["a", "bb"], 2)
    assert _embed(path, ["bb", "ccc"]) == (["ccc"], 1)
    assert _embed(path, ["bb"], model="m@2") == (["bb"], 1)
    assert _embed(path, ["bb"], name="slow") == (["bb"], 1)
    assert _embed(path, ["a", "bb", "ccc"]) == ([], 0)


def test_rows_of_a_call_are_of_one_runtime_when_another_is_opened_than_expected(
    path: Path,
) -> None:
    _embed(path, ["a", "bb"], name="fast")
    runtime = FakeRuntime("slow")
    embedder = SentenceEmbedder(FakeChoice(runtime), EmbeddingCache(path))
    assert len(embedder(["a", "ccc"])) == 2
    assert runtime.seen == ["a", "ccc"], "the fast runtime's row of a is not mixed in"
    embedder(["a", "bb"])
    assert runtime.seen == ["a", "ccc", "bb"]


def test_no_runtime_is_loaded_when_every_text_is_known(path: Path) -> None:
    _embed(path, ["a"])

    class Unloadable(FakeChoice):
        def open(self) -> FakeRuntime:
            raise AssertionError

    embedder = SentenceEmbedder(Unloadable(FakeRuntime("fast")), EmbeddingCache(path))
    assert embedder(["a", "a"]).shape == (2, 2)
    assert embedder([]).shape == (0, 0)


def test_cache_starts_afresh_when_it_is_damaged(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    assert _embed(path, ["a"]) == (["a"], 1)
    assert _embed(path, ["a"]) == ([], 0)


def test_cache_starts_afresh_when_it_is_broken_beyond_its_first_page(path: Path) -> None:
    cache = EmbeddingCache(path)
    vectors = {text_hash(str(i)): np.full(64, i, dtype=np.float32) for i in range(500)}
    cache.save("m", vectors)
    raw = bytearray(path.read_bytes())
    raw[4096:] = np.random.default_rng(0).bytes(len(raw) - 4096)
    path.write_bytes(raw)
    assert cache.load("m", list(vectors)) == {}
    cache.save("m", vectors)
    assert len(cache.load("m", list(vectors))) == 500


def test_cache_that_another_process_holds_is_not_thrown_away(path: Path) -> None:
    cache = EmbeddingCache(path, timeout_s=0.05)
    known = {text_hash("a"): np.ones(2, dtype=np.float32)}
    cache.save("m", known)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        cache.load("m", list(known))
    holder.execute("commit")
    holder.close()
    assert len(cache.load("m", list(known))) == 1


def test_half_of_a_character_and_any_sequence_are_embedded(path: Path) -> None:
    embedder = SentenceEmbedder(FakeChoice(FakeRuntime("fast")), EmbeddingCache(path))
    assert embedder(["a\ud83d"]).tolist() == embedder(["a?"]).tolist()
    assert embedder(np.array(["a", "bb"])).shape == (2, 2)


def test_a_text_is_forgotten_under_every_model_and_its_bytes_are_gone(
    settings: Settings, path: Path
) -> None:
    cache = EmbeddingCache(path)
    planted = np.full(64, 0.12345, dtype=np.float32)
    for variant in ("m@1 fast", "m@2 slow"):
        cache.save(variant, {text_hash("mine"): planted, text_hash("theirs"): planted * 2})
    assert forget_texts(settings, ["mine", "unknown"], is_trial=True) == 2
    assert planted.tobytes() in path.read_bytes()
    assert forget_texts(settings, ["mine", "unknown"]) == 2
    assert planted.tobytes() not in path.read_bytes()
    assert text_hash("mine").encode() not in path.read_bytes()
    assert len(cache.load("m@2 slow", [text_hash("mine"), text_hash("theirs")])) == 1
    assert forget_texts(settings, ["mine"]) == 0


def test_vectors_of_the_earlier_layout_go_because_no_text_would_find_them(
    settings: Settings, path: Path
) -> None:
    planted = np.full(64, 0.12345, dtype=np.float32).tobytes()
    with sqlite3.connect(path) as connection:
        connection.execute("create table embeddings (key text primary key, vector blob not null)")
        connection.execute("insert into embeddings values ('k', ?)", [planted])
    connection.close()
    assert planted in path.read_bytes()
    assert forget_texts(settings, ["anything"], is_trial=True) == 0
    assert planted not in path.read_bytes()
    assert _embed(path, ["a"]) == (["a"], 1)
