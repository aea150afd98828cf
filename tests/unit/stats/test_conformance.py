"""The drift command and score that others run with answers of their own."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conformance.drift import compare, main, score, verdict
from tests.unit.stats.texts import make_window


def _window(n: int, seed: int, other_share: float = 0.0) -> tuple[list[str], list[str]]:
    return make_window(n, np.random.default_rng(seed), other_share=other_share)


def _file(path: Path, window: tuple[list[str], list[str]]) -> str:
    lines = (json.dumps({"prompt": p, "response": r}) for p, r in zip(*window, strict=True))
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def _embed(texts: list[str]) -> np.ndarray:
    rows = np.array([[len(text), text.count("e"), 1.0] for text in texts], dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_score_is_small_when_another_model_writes_and_not_when_none_does() -> None:
    (prompts, quiet), (more, other) = _window(60, 1), _window(60, 2, other_share=0.5)
    assert score(quiet, other, prompts, more, embed=_embed) <= 0.001
    assert score(quiet, _window(60, 3)[1], prompts, _window(60, 3)[0]) > 0.01
    assert score(quiet, other) <= 0.001


def test_score_is_one_when_there_is_nothing_to_compare() -> None:
    assert score([], []) == 1.0
    assert score(["a"], ["b"], paired=True) == 1.0


def test_command_prints_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference = _file(tmp_path / "a.jsonl", _window(60, 1))
    current = _file(tmp_path / "b.jsonl", _window(60, 2, other_share=1.0))
    assert main(["--reference", reference, "--current", current]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["verdict"] == "breach"
    assert printed["n_reference"] == 60


def test_too_few_answers_are_no_verdict() -> None:
    (prompts, first), (more, second) = _window(20, 1), _window(20, 2, other_share=1.0)
    row = verdict(compare(first, second, prompts + more), paired=False)
    assert row["verdict"] == "insufficient_evidence"
    assert "at least 50" in row["reason"]


def test_command_names_the_line_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "a", "response": "b"}\n{"prompt": "a"}\n', encoding="utf-8")
    assert main(["--reference", str(bad), "--current", str(bad)]) == 2
    assert "bad.jsonl:2: expected" in capsys.readouterr().err


@pytest.mark.shared
def test_months_of_one_model_are_told_apart_and_halves_of_a_month_are_not(
    shared_dir: Path,
) -> None:
    """Chen, Zaharia & Zou 2023: the accuracy of every one of these tasks moved."""
    frame = pq.read_table(shared_dir / "data/drift/llmdrift_gpt35.parquet").to_pandas()
    n_alarms, n_quiet = 0, 0
    for task, rows in frame.groupby("task"):
        answers = rows.pivot_table(index="prompt_id", columns="model", values="response", aggfunc="first").dropna()  # fmt: skip
        old, new = (answers[name].tolist()[:200] for name in sorted(answers.columns)[:2])
        assert score(old, new, paired=True) <= 0.01, task
        for seed in range(4):
            order = np.random.default_rng(seed).permutation(len(old))
            first, second = ([old[i] for i in part] for part in (order[::2], order[1::2]))
            n_alarms += score(first, second, seed=seed) <= 0.01
            n_quiet += 1
    assert n_quiet >= 20
    assert n_alarms <= 2
