"""The drift command and score that others run with answers of their own."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conformance.drift import compare, main, read_lines, score, verdict
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


def _cooking(n: int) -> list[str]:
    return [f"please cook pasta sauce with tomato and basil, number {i}" for i in range(n)]


def _compiling(n: int) -> list[str]:
    return [f"compile python rust linker error stack {i}" for i in range(n)]


@pytest.mark.parametrize("n_shared", [0, 1, 2, 5])
def test_windows_that_ask_different_things_are_no_verdict(n_shared: int) -> None:
    n = 60
    first, second = _window(n, 1)[1], _window(n, 2, other_share=1.0)[1]
    asked = _cooking(n_shared) + _compiling(n - n_shared)
    result = compare(first, second, _cooking(n) + asked)
    row = verdict(result, paired=False)
    assert row["verdict"] == "insufficient_evidence"
    assert row["reason"]
    assert score(first, second, _cooking(n), asked) == 1.0


def test_no_prompt_in_common_is_no_error() -> None:
    first, second = _window(60, 1)[1], _window(60, 2, other_share=1.0)[1]
    assert score(first, second, ["hi there"] * 60, ["bye now"] * 60) == 1.0


def test_answers_about_what_one_window_has_alone_are_left_out_and_counted() -> None:
    (prompts, first), (more, second) = _window(80, 1), _window(80, 2)
    asked = [*more[:72], *_compiling(8)]
    result = compare(first, second, prompts + asked)
    assert result.is_sufficient
    left_out = result.details["n_left_out"]
    assert (result.n_reference + left_out[0], result.n_current + left_out[1]) == (80, 80)


def test_pairs_are_put_side_by_side_and_other_prompts_are_an_error() -> None:
    prompts = _cooking(30)
    answers = _window(30, 1)[1]
    turned = score(answers, answers[::-1], prompts, prompts[::-1], paired=True)
    assert turned == score(answers, answers, prompts, prompts, paired=True)
    with pytest.raises(ValueError, match="row 1 of the windows answers different prompts"):
        score(answers, answers, prompts, _compiling(30), paired=True)


@pytest.mark.parametrize(
    ("reference", "prompts", "message"),
    [
        (["a"] * 3, (["q"] * 2, ["q"] * 3), "reference window has 3 answers and 2 prompts"),
        (["a"] * 3, (["q"] * 3, None), "prompts of one window alone"),
        ([None, "a", "b"], (None, None), "expected a list of texts, got NoneType in it"),
        ("abc", (None, None), "expected a list of texts, got one text"),
    ],
)
def test_score_says_what_is_wrong_with_its_input(
    reference: list[str], prompts: tuple[list[str] | None, list[str] | None], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        score(reference, ["a", "b", "c"], *prompts)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("rows", [np.full((60, 4), np.nan), np.ones((7, 4)), np.ones(60)])
def test_embeddings_that_are_no_finite_rows_are_an_error(rows: np.ndarray, *, paired: bool) -> None:
    first, second = _window(60, 1)[1], _window(60, 2)[1]
    with pytest.raises(ValueError, match="a finite row per text"):
        score(first, second, paired=paired, embed=lambda _texts: rows)


def test_half_of_a_character_is_a_character() -> None:
    (prompts, first), (more, second) = _window(60, 1), _window(60, 2)
    cut = [text + "\ud83d" for text in second]
    assert 0.0 < score(first, cut, prompts, more) <= 1.0
    assert 0.0 < score(first, cut, paired=True) <= 1.0


def test_lines_end_at_line_feeds_alone_and_a_byte_order_mark_is_none_of_the_text(
    tmp_path: Path,
) -> None:
    rows = [{"prompt": "a\u2028b", "response": "c\u0085d\u2029e"}, {"prompt": "f", "response": ""}]
    text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_lines(path) == (["a\u2028b", "f"], ["c\u0085d\u2029e", ""])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"prompt": "a", "response": null}', "response must be text, got NoneType"),
        (b'{"prompt": 7, "response": "a"}', "prompt must be text, got int"),
        (b"[" * 100_000, "recursion"),
        (b'{"prompt": "\xe9", "response": "a"}', "can't decode byte 0xe9"),
        (b"[]", "got list"),
    ],
)
def test_line_that_is_no_answer_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"prompt": "a", "response": "b"}\n' + line)
    with pytest.raises(ValueError, match=f"(?s)a.jsonl:2: expected.*{message}"):
        read_lines(path)


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
        asked = rows.drop_duplicates("prompt_id").set_index("prompt_id")["prompt"]
        prompts = asked.loc[answers.index].tolist()[:200]
        assert score(old, new, paired=True) <= 0.01, task
        assert score(old, new, prompts, prompts) <= 0.01, task
        for seed in range(4):
            order = np.random.default_rng(seed).permutation(len(old))
            first, second = ([old[i] for i in part] for part in (order[::2], order[1::2]))
            halves = ([prompts[i] for i in part] for part in (order[::2], order[1::2]))
            n_alarms += score(first, second, seed=seed) <= 0.01
            n_alarms += score(first, second, *halves, seed=seed) <= 0.01
            n_quiet += 2
    assert n_quiet >= 40
    assert n_alarms <= 3
