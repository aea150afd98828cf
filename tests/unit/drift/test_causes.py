"""The cause of a verdict on made-up calls in which one thing changed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from include.freezeline.contracts.judgement import ROOT_CAUSES
from include.freezeline.drift.cause_evidence import PROBES, Probe, RootCause
from include.freezeline.drift.causes import find_cause
from include.freezeline.drift.policy import CausePolicy
from include.freezeline.drift.signs import CAUSES, CauseRows
from include.freezeline.stats.result import StatResult
from tests.unit.stats.texts import prompt_text

N = 150
IS_CURRENT = np.arange(2 * N) >= N
POLICY = CausePolicy(level=0.01, min_share_change=0.1, min_rank_shift=0.1, max_rows=400)
PROBES_MOVED = Probe(
    StatResult(
        0.2,
        (0.15, 0.25),
        0.0001,
        24,
        24,
        "paired_semantic_sign_flip",
        details={"reference_score": 0.05},
    ),
    is_large=True,
)


def _columns(seed: int) -> dict[str, list[Any]]:
    """Draw calls of which nothing changed."""
    rng = np.random.default_rng(seed)
    n = 2 * N
    tokens = rng.lognormal(6, 0.4, n)
    return {
        "prompt_version": [f"v{i}" for i in rng.integers(1, 3, n)],
        "prompt_hash": ["h"] * n,
        "request_model": ["m"] * n,
        "response_model": ["m-2026"] * n,
        "provider": ["openai"] * n,
        "system_fingerprint": [str(rng.choice(["fp_a", "fp_b"])) for _ in range(n)],
        "ttft_ms": list(tokens * 0.3 * rng.lognormal(0, 0.2, n)),
        "tpot_ms": list(rng.lognormal(3, 0.2, n)),
        "is_retrieval_empty": ["empty" if x < 0.03 else "found" for x in rng.random(n)],
        "retrieved_document_count": [int(x) for x in rng.integers(3, 7, n)],
        "best_document_score": list(rng.beta(8, 2, n)),
        "document_source": [f"kb/{i}" for i in rng.integers(0, 5, n)],
        "tenant_key": [f"t_{i}" for i in rng.integers(0, 6, n)],
        "tenant_tier": [None] * n,
        "route": ["/chat"] * n,
        "locale": [str(rng.choice(["en-us", "de-de"])) for _ in range(n)],
        "input_text_chars": [int(x) for x in rng.lognormal(4, 0.5, n)],
        "input_tokens": [int(x) for x in tokens],
        "prompt": [prompt_text(int(rng.integers(3)), rng) for _ in range(n)],
    }


def _find(columns: dict[str, list[Any]], **given: Any) -> RootCause:
    rows = CauseRows(IS_CURRENT, columns)
    return find_cause(rows, POLICY, **({"seed": 5, "is_given_version": True} | given))


def _put(columns: dict[str, list[Any]], name: str, value: Any, share: float = 0.6) -> None:
    """Change a column of part of the current calls."""
    chosen = np.flatnonzero(IS_CURRENT)[: int(N * share)]
    for i in chosen:
        columns[name][i] = value(columns[name][i]) if callable(value) else value


CHANGES = [
    ("prompt", "prompt_hash", "other"),
    ("model", "response_model", "m-2026-10"),
    ("model", "system_fingerprint", "fp_new"),
    ("model", "provider", "azure"),
    ("model", "tpot_ms", lambda x: x * 3),
    ("model", "ttft_ms", lambda x: x * 3),
    ("retrieval", "is_retrieval_empty", "empty"),
    ("retrieval", "best_document_score", lambda x: x / 3),
    ("retrieval", "document_source", "kb/new"),
    ("retrieval", "retrieved_document_count", 1),
    ("input", "tenant_key", "t_new"),
    ("input", "locale", "fr-fr"),
    ("input", "input_text_chars", lambda x: x * 5),
    ("input", "prompt", "Explain the treaty of Utrecht and the war of succession in Spain."),
]


@pytest.mark.parametrize(("cause", "column", "value"), CHANGES, ids=[c[1] for c in CHANGES])
def test_cause_is_what_changed_when_one_thing_did(cause: str, column: str, value: Any) -> None:
    columns = _columns(1)
    _put(columns, column, value)
    found = _find(columns)
    assert found.cause == cause
    assert found.reason.startswith(f"most likely the {cause}: ")
    speaking = [e for e in found.evidence if e.speaks]
    assert {e.cause for e in speaking} == {cause}
    assert all(e.result.interval is not None for e in speaking)


def test_cause_is_unknown_when_nothing_changed() -> None:
    causes = [_find(_columns(seed), seed=seed).cause for seed in range(20)]
    assert causes.count("unknown") >= 19  # at the 1% level a second one is a 1.7% accident


def test_first_in_order_is_named_and_the_others_are_mentioned() -> None:
    columns = _columns(2)
    for _, column, value in CHANGES[::-1]:
        _put(columns, column, value)
        found = _find(columns)
        changed = {e.cause for e in found.evidence if e.speaks}
        assert found.cause == next(cause for cause in CAUSES if cause in changed)
    assert found.cause == "prompt"
    assert "also changed: model (" in found.reason
    assert [e.cause for e in found.evidence] == sorted(
        (e.cause for e in found.evidence), key=CAUSES.index
    )


def test_longer_prompts_are_no_slower_model() -> None:
    columns = _columns(3)
    for name in ("input_tokens", "ttft_ms"):
        _put(columns, name, lambda x: x * 2.5)
    assert _find(columns).cause == "input"


def test_roll_out_of_a_version_explains_only_what_stays_inside_no_version() -> None:
    columns = _columns(4)
    _put(columns, "prompt_version", "v2", share=0.7)
    assert _find(columns, is_given_version=True).cause == "unknown"
    # the symptom belongs to v2, so its roll-out is the cause
    of_version = [float(v == "v2") for v in columns["prompt_version"]]
    assert _find(columns | {"symptom": of_version}, is_given_version=False).cause == "prompt"
    # the symptom rose in both versions, so it is not
    _put(columns, "is_retrieval_empty", "empty")
    everywhere = [float(x == "empty") for x in columns["is_retrieval_empty"]]
    found = _find(columns | {"symptom": everywhere}, is_given_version=False)
    assert found.cause == "retrieval"
    assert "cannot explain" in found.evidence[0].note


def test_moved_probes_say_model_unless_retrieval_changed() -> None:
    columns = _columns(5)
    found = _find(columns, probes=[PROBES_MOVED])
    assert found.cause == "model"
    assert "0.2000 (0.1500 to 0.2500) where two reference answers give 0.0500" in found.reason
    _put(columns, "document_source", "kb/new")
    found = _find(columns, probes=[PROBES_MOVED])
    assert found.cause == "retrieval"
    assert [e.note for e in found.evidence if e.name in PROBES.values()] != [""]


def test_style_of_probes_says_model_in_words_of_its_own() -> None:
    columns = _columns(6)
    style = StatResult(
        0.75, (0.6, 0.86), 0.0001, 24, 24, "replicated_combination", details={"farther_ratio": 0.7}
    )
    quiet = Probe(replace(PROBES_MOVED.result, p_value=0.4), is_large=False)
    found = _find(columns, probes=[quiet, Probe(style, is_large=True)])
    assert found.cause == "model"
    assert (
        "style of probe answers: the current one of two answers recognised in 75.0%" in found.reason
    )
    small = _find(columns, probes=[quiet, Probe(style, is_large=False)])
    assert small.cause == "unknown"


@pytest.mark.parametrize("n", [0, 1, 5, 39])
def test_cause_is_unknown_and_says_so_when_there_are_few_calls(n: int) -> None:
    columns: dict[str, list[Any]] = {"prompt_version": ["v1"] * n}
    rows = CauseRows(np.arange(n) >= n // 2, columns)
    found = find_cause(rows, POLICY, seed=1, is_given_version=True)
    assert found.cause == "unknown"
    assert "nothing is known about: prompt, model, retrieval, input" in found.reason


def test_rare_names_are_not_kept() -> None:
    columns = _columns(6)
    _put(columns, "document_source", "kb/new")
    columns["document_source"][-4:] = ["cv of somebody"] * 4
    found = _find(columns)
    shown = [e.result.details.get("moved_categories", {}) for e in found.evidence]
    named = {name for categories in shown for name in categories}
    assert "kb/new" in named
    assert not named & {"cv of somebody"}
    columns["document_source"] = [f"file {i}" for i in range(2 * N)]
    result = next(e.result for e in _find(columns).evidence if "first document" in e.name)
    assert (result.value, result.reason) == (None, "every category is rare")


def test_table_names_every_cause() -> None:
    described = next(c for c in ROOT_CAUSES.columns if c.name == "cause").description
    assert all(cause in described for cause in (*CAUSES, "unknown"))
