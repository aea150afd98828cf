"""Conversations and runs whose outcomes name them, and not their requests: late and corrected."""

from collections.abc import Callable, Iterator
from random import Random

from tests.dbt.arrivals import Arrival, Row, fact, instant, spans

_DAYS = 4
_Call = Callable[[int, int, float], Row]


def conversations(rng: Random, day: int, call: _Call) -> Iterator[Arrival]:
    """Yield what happens on a day in a conversation of some days, and what becomes of it.

    Args:
        rng: Draws how late things are.
        day: The day.
        call: Makes a call of a day, number and hour.
    """
    yield from _said(rng, day, call)
    yield from _judged_by_conversation(rng, day)
    yield from _judged_by_run(rng, day)
    yield from _judged_by_several(day)
    if day % 8 == 0:
        yield from _long_ago(day, call)


def _session(day: int) -> str:
    """The conversation of a day."""
    return f"chat{day // _DAYS}"


def _said(rng: Random, day: int, call: _Call) -> Iterator[Arrival]:
    """Two requests, a retry of the first one, and sometimes a third that comes a week later."""
    number = 1000 * day + 600
    session = {"session_key": _session(day)}
    first = call(day, number, 9.0) | session
    again = call(day, number + 1, 12.0) | {"request_id": f"r{number}"}
    yield day + rng.choice([0, 0, 3]), spans(f"chat/{day}/first", [first])
    yield day + rng.choice([1, 4]), spans(f"chat/{day}/again", [again])
    nameless = {"request_id": None} if day % 2 else {}
    second = call(day, number + 2, 11.0) | session | nameless
    yield day + rng.choice([0, 2]), spans(f"chat/{day}/second", [second])
    if day % _DAYS == 2:
        # It turns out to be what was said last before the outcomes of this evening.
        late = call(day, number + 3, 19.0) | session
        yield day + 7, spans(f"chat/{day}/late", [late])
    if day % 5 == 1:
        # A richer copy says that the request belongs to the conversation of the days before.
        moved = first | {"session_key": _session(max(0, day - _DAYS)), "duration_ms": 5.0,
                         "route": "/ask", "output_text_redacted": "x"}  # fmt: skip
        yield day + 5, spans(f"chat/{day}/moved", [moved])


def _judged_by_conversation(rng: Random, day: int) -> Iterator[Arrival]:
    """Escalations before, between and after what was said; corrected in place, or to another time."""
    for hour in (8.5, 11.0, 20.0)[: 1 + day % 3]:
        row = {"request_id": None, "session_key": _session(day), "reason_code": f"at {hour}",
               "escalated_at": instant(day, hour), "recorded_at": instant(day, 23)}  # fmt: skip
        yield day + rng.choice([0, 1, 6]), fact("escalations", f"chat/{day}/{hour}", row)
        if day % 4 == 3:
            fixed = row | {"reason_code": "corrected", "recorded_at": instant(day + 3, 2)}
            yield day + 4, fact("escalations", f"chat/{day}/{hour}/fixed", fixed)
    named = {"request_id": f"r{1000 * day + 600}", "reason_code": "by request",
             "escalated_at": instant(day, 21), "recorded_at": instant(day + 1, 5)}  # fmt: skip
    if day % 3 == 1:
        yield day + rng.choice([2, 8]), fact("escalations", f"chat/{day}/named", named)


def _judged_by_run(rng: Random, day: int) -> Iterator[Arrival]:
    """Overrides of the agent's run that crosses midnight; some known before it, some moved."""
    row = {"request_id": None, "trace_id": f"{1000 * day + 500:032x}", "override_type": "run",
           "overridden_at": instant(day + 1, 6), "recorded_at": instant(day + 1, 7)}  # fmt: skip
    if day % 2:
        yield day + rng.choice([1, 5]), fact("overrides", f"runs/{day}", row)
    if day % 6 == 5:
        moved = row | {"overridden_at": instant(day + 3, 6), "recorded_at": instant(day + 3, 7)}
        yield day + 7, fact("overrides", f"runs/{day}/moved", moved)


def _judged_by_several(day: int) -> Iterator[Arrival]:
    """Conversions that name a request nobody knows, then less: what they judge goes elsewhere."""
    row = {"request_id": f"lost{day}", "trace_id": f"{1000 * day + 602:032x}", "value_usd": 3.5,
           "session_key": _session(day), "converted_at": instant(day, 22),
           "recorded_at": instant(day, 23)}  # fmt: skip
    if day % 3 == 0:
        yield day + 1, fact("conversions", f"several/{day}", row)
        other = row | {"trace_id": None, "recorded_at": instant(day + 2, 1)}
        yield day + 3, fact("conversions", f"several/{day}/by_conversation", other)
    if day % 9 == 0:
        alone = row | {"trace_id": None, "session_key": None, "recorded_at": instant(day + 4, 1)}
        yield day + 6, fact("conversions", f"several/{day}/alone", alone)


def _long_ago(day: int, call: _Call) -> Iterator[Arrival]:
    """What comes two weeks later, when nothing else touches the days that it changes."""
    number, session = 1000 * day + 800, {"session_key": f"old{day}"}
    yield day, spans(f"old/{day}/asked", [call(day, number, 10.0) | session])
    said = {"request_id": None, "reason_code": "said", "recorded_at": instant(day + 4, 12)}
    said |= session | {"escalated_at": instant(day + 4, 10)}
    yield day + 4, fact("escalations", f"old/{day}/said", said)
    # Another request began in between, so the first one was never escalated.
    between = call(day + 2, number + 1, 10.0) | session
    yield day + 13, spans(f"old/{day}/between", [between])
    # A record that names less than the one before it: the run is not judged any more.
    run = {"request_id": f"gone{day}", "trace_id": f"{number + 2:032x}", "override_type": "run",
           "overridden_at": instant(day + 3, 9), "recorded_at": instant(day + 3, 10)}  # fmt: skip
    yield day, spans(f"old/{day}/run", [call(day, number + 2, 11.0)])
    yield day + 3, fact("overrides", f"old/{day}/run", run)
    less = run | {"trace_id": None, "recorded_at": instant(day + 3, 11)}
    yield day + 13, fact("overrides", f"old/{day}/less", less)
    yield from _outdone_long_ago(day, call)


def _outdone_long_ago(day: int, call: _Call) -> Iterator[Arrival]:
    """A day is built again on which an outcome happened that another one outdid elsewhere."""
    number, session = 1000 * day + 810, {"session_key": f"outdone{day}"}
    asked = call(day, number, 10.0) | session
    again = call(day + 3, number + 1, 10.0) | {"request_id": f"r{number}"}
    yield day, spans(f"outdone/{day}/asked", [asked])
    yield day + 3, spans(f"outdone/{day}/again", [again])
    first = {"request_id": None, "reason_code": "outdone", "escalated_at": instant(day + 1, 9)}
    first |= session | {"recorded_at": instant(day + 1, 10)}
    yield day + 1, fact("escalations", f"outdone/{day}/first", first)
    last = {"request_id": None, "trace_id": again["trace_id"], "reason_code": "last",
            "escalated_at": instant(day + 5, 9), "recorded_at": instant(day + 5, 10)}  # fmt: skip
    yield day + 5, fact("escalations", f"outdone/{day}/last", last)
    yield day + 14, spans(f"outdone/{day}/unrelated", [call(day + 1, number + 2, 15.0)])
