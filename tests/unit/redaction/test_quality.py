"""What the bench measures holds on labelled data."""

from pathlib import Path

import numpy as np
import pytest

from include.freezeline.redaction.engine import Redactor
from include.freezeline.redaction.rules import load_redaction_config
from include.freezeline.redaction.scanner import Scanner
from tests.bench import bench_redaction
from tests.bench.bench_redaction import (
    Score,
    load_labelled,
    load_vectors,
    our_finder,
    scores,
    secret_score,
)
from tests.bench.redaction_texts import KINDS, Labelled, labelled_texts

_DRIFT = Path("data") / "drift"


def test_score_is_what_one_computes_by_hand() -> None:
    texts = [
        Labelled("ab cd ef", (("X", 0, 2), ("X", 3, 5))),
        Labelled("gh ij", (("Y", 0, 2),)),
    ]
    found = {"ab cd ef": [("X", 0, 2), ("X", 6, 8)], "gh ij": [("X", 0, 1)]}
    assert scores(texts, lambda text: found[text]) == {
        "X": Score(2, 1, 1, 2),
        "Y": Score(1, 0, 0, 0),
    }
    score = Score(2, 1, 1, 2)
    assert (score.recall, score.precision) == (0.5, 1 / 3)
    assert score.f2 == pytest.approx(5 * 0.5 / 3 / (4 / 3 + 0.5))
    vectors = [("a", True), ("b", True), ("c", False)]
    results = {"a": [("TOKEN", 0, 1)], "b": [("EMAIL", 0, 1)], "c": [("SECRET", 0, 1)]}
    assert secret_score(vectors, lambda text: results[text]) == Score(2, 1, 1, 1)


def test_every_made_up_value_is_found_and_nothing_else(redactor: Redactor) -> None:
    texts = list(labelled_texts(np.random.default_rng(21), 1_200))
    results = scores(texts, our_finder(redactor))
    assert {name: score.recall for name, score in results.items()} == dict.fromkeys(results, 1.0)
    assert {name: score.n_wrong for name, score in results.items() if score.n_wrong} == {}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_ordinary_text_asks_no_library(redactor: Redactor, kind: str) -> None:
    rng = np.random.default_rng(8)
    texts = [KINDS[kind](rng, 2_000) for _ in range(50)]
    clean = redactor.look(texts, is_json="json" in kind).clean
    assert len(clean) >= (45 if kind == "ids (json)" else 50)
    assert all(redactor.redact_text(text).findings == () for text in texts)


@pytest.mark.shared
def test_structured_values_are_found_in_labelled_sentences(
    redactor: Redactor, shared_dir: Path
) -> None:
    results = scores(load_labelled(shared_dir / _DRIFT), our_finder(redactor))
    structured = {n: s for n, s in results.items() if n in bench_redaction.STRUCTURED}
    assert len(structured) >= 7
    assert {n: s.recall for n, s in structured.items() if s.recall < 0.99} == {}
    assert {n: s.precision for n, s in structured.items() if s.precision < 0.95} == {}


@pytest.mark.shared
def test_secrets_are_found_in_the_vectors_of_scanners(redactor: Redactor, shared_dir: Path) -> None:
    score = secret_score(load_vectors(shared_dir / _DRIFT), our_finder(redactor))
    assert score.recall >= 0.9
    assert score.precision >= 0.9


@pytest.mark.shared
def test_secrets_are_told_apart_without_the_list_of_published_samples(
    config_dir: Path, shared_dir: Path
) -> None:
    """The list holds values of these very vectors, so only this says how the rules do."""
    config = load_redaction_config(config_dir)
    rules = [rule.model_copy(update={"published_sha256": ()}) for rule in config.rules]
    unlisted = Redactor(config, Scanner(rules))
    score = secret_score(load_vectors(shared_dir / _DRIFT), our_finder(unlisted))
    assert score.recall >= 0.9
    assert score.precision >= 0.88
