"""Large traces: what collapses, what is summarised, and that order does not matter."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.readers.trace_limits import TraceEdits, TraceLimiter, TraceLimits

TRACE = "0af7651916cd43dd8448eb211c80319c"


def row(number: int, parent: int | None, **values: Any) -> dict[str, Any]:
    """Return the columns of a span that limits look at; its ordinal is its number."""
    return {
        "trace_id": TRACE,
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "span_name": "step",
        "span_type": "other",
        "is_leaf_model_call": False,
        "status": "unset",
        "duration_ms": float(number),
        "source_offset": number,
        **values,
    }


def edits(
    rows: Iterable[dict[str, Any]],
    *,
    siblings: int = 3,
    depth: int = 3,
    evaluations: Iterable[dict[str, Any]] = (),
) -> TraceEdits | None:
    limiter = TraceLimiter(TraceLimits(siblings=siblings, depth=depth))
    limiter.note({"spans": list(rows), "evaluations": list(evaluations)})
    return limiter.edits()


def test_small_traces_stay_as_they_are() -> None:
    assert edits([row(1, None), *(row(number, 1) for number in (2, 3, 4))]) is None
    assert edits([]) is None


def test_siblings_collapse_into_the_slowest_with_count_sum_and_errors() -> None:
    children = [row(number, 1, status="error" if number < 4 else "unset") for number in range(2, 7)]
    unlike = [
        row(7, 1, span_name="other"),
        row(8, 1, span_type="tool"),
        row(9, 2, span_name="leaf"),
    ]
    found = edits([row(1, None), *children, *unlike])
    assert found is not None
    assert found.dropped == {2, 3, 4, 5}
    assert found.changes[6] == {
        "collapsed_span_count": 5,
        "collapsed_duration_sum_ms": 20.0,
        "collapsed_error_count": 2,
    }
    assert found.changes[9] == {"parent_span_id": f"{6:016x}"}
    assert set(found.changes) == {6, 9}


def test_children_of_collapsed_spans_are_siblings_of_each_other() -> None:
    loops = [row(number, 1) for number in range(10, 15)]
    steps = [row(number + 10, number, span_name="tool") for number in range(10, 15)]
    found = edits([row(1, None), *loops, *steps])
    assert found is not None
    assert found.dropped == {10, 11, 12, 13, 20, 21, 22, 23}
    assert found.changes[24]["collapsed_span_count"] == 5
    assert "parent_span_id" not in found.changes[24]


def test_unknown_durations_are_no_zeros() -> None:
    found = edits([row(n, None, duration_ms=None, span_name="x") for n in range(1, 6)])
    assert found is not None
    (change,) = found.changes.values()
    assert change["collapsed_duration_sum_ms"] is None
    assert change["collapsed_span_count"] == 5


def test_deep_spans_are_counted_on_the_last_ancestor_that_keeps_its_row() -> None:
    chain = [row(1, None), *(row(n, n - 1, span_name=str(n)) for n in range(2, 8))]
    chain[5]["status"] = "error"
    found = edits(chain)
    assert found is not None
    assert found.dropped == {4, 5, 6, 7}
    assert found.changes == {
        3: {"summarised_descendant_count": 4, "summarised_descendant_error_count": 1}
    }


def test_model_calls_and_judged_spans_keep_their_rows() -> None:
    calls = [row(number, 1, is_leaf_model_call=True) for number in range(2, 9)]
    chain = [
        row(20, 1),
        row(21, 20),
        row(22, 21),
        row(23, 22),
        row(24, 23, is_leaf_model_call=True),
    ]
    judged = {"trace_id": TRACE, "span_id": f"{23:016x}"}
    found = edits([row(1, None), *calls, *chain], evaluations=[judged])
    assert found is not None
    assert found.dropped == {22}
    # What hung on a span without a row hangs on the ancestor that has one.
    assert found.changes == {
        21: {"summarised_descendant_count": 1, "summarised_descendant_error_count": 0},
        23: {"parent_span_id": f"{21:016x}"},
    }


@pytest.mark.parametrize(
    "parents",
    [
        {1: 1, 2: 1, 3: 2, 4: 3, 5: 4},  # its own parent
        {1: 3, 2: 1, 3: 2, 4: 3, 5: 4},  # a circle of three with a tail
        {1: 2, 2: 1, 3: 4, 4: 3, 5: 99},  # two circles and a span whose parent is elsewhere
    ],
)
def test_circles_of_parents_end(parents: dict[int, int]) -> None:
    found = edits([row(n, parent, span_name=str(n)) for n, parent in parents.items()], depth=1)
    assert found is not None
    n_summarised = sum(change["summarised_descendant_count"] for change in found.changes.values())
    assert n_summarised == len(found.dropped)
    assert 1 not in found.dropped


def test_copies_of_a_span_count_once_and_share_its_fate() -> None:
    twice = [row(n, 1, source_offset=n + offset) for n in range(2, 7) for offset in (0, 100)]
    found = edits([row(1, None), *twice])
    assert found is not None
    assert found.dropped == {2, 3, 4, 5, 102, 103, 104, 105}
    assert found.changes[6] == found.changes[106]
    assert found.changes[6]["collapsed_span_count"] == 5


spans = st.lists(
    st.tuples(
        st.integers(0, 12), st.sampled_from("ab"), st.booleans(), st.sampled_from([None, 1.5, 2.5, 7.25])
    ),
    min_size=4,
    max_size=30,
)  # fmt: skip


@given(spans, st.randoms(use_true_random=False), st.integers(1, 3), st.integers(1, 4))
def test_outcome_does_not_depend_on_the_order_and_loses_nothing(
    drawn: list[tuple[int, str, bool, float | None]], random: Any, siblings: int, depth: int
) -> None:
    rows = [
        row(n, parent or None, span_name=name, is_leaf_model_call=is_call, duration_ms=ms)
        for n, (parent, name, is_call, ms) in enumerate(drawn, 1)
    ]
    first = edits(rows, siblings=siblings, depth=depth)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert edits(shuffled, siblings=siblings, depth=depth) == first
    if first is None:
        return
    assert not any(rows[offset - 1]["is_leaf_model_call"] for offset in first.dropped)
    assert not first.dropped & set(first.changes)
    said = sum(
        change.get("collapsed_span_count", 1) - 1 + change.get("summarised_descendant_count", 0)
        for change in first.changes.values()
    )
    assert said == len(first.dropped)
    parent_of = {each["source_offset"]: drawn[each["source_offset"] - 1][0] for each in rows}
    for offset in parent_of.keys() - first.dropped:
        change = first.changes.get(offset, {})
        parent = int(change.get("parent_span_id", f"{parent_of[offset]:016x}"), 16)
        assert parent not in first.dropped or in_circle(offset, parent_of)


def in_circle(span: int, parent_of: dict[int, int]) -> bool:
    """Return whether a span is its own ancestor; one of a circle's spans counts as its root."""
    at, steps = parent_of.get(span), 0
    while at in parent_of and at != span and steps <= len(parent_of):
        at, steps = parent_of[at], steps + 1
    return at == span
