"""Thirty days of a very small company whose data arrives as data does: late, twice, and corrected."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.tombstone_files import write_tombstones
from include.freezeline.erasure.tombstones import Tombstone
from include.freezeline.settings import Settings
from tests.dbt.arrivals import (
    FIRST_DAY,
    Arrival,
    Row,
    Write,
    counter,
    evaluation,
    fact,
    instant,
    known,
    spans,
)
from tests.dbt.conversations import conversations
from tests.dbt.tiny_lake import TinyLake, call, span

N_DAYS = 30
ERASED_ON, ERASED_USER = 23, "u3"


def night_of(number: int) -> datetime:
    """Return the ``as_of`` of the night after a day."""
    return FIRST_DAY + timedelta(days=number + 1)


class ThirtyDays:
    """What arrives on which day; the same seed gives the same rows."""

    def __init__(self, seed: int) -> None:
        """Draw everything."""
        self._rng = Random(seed)  # noqa: S311 - repeatable data
        self._arrivals: list[Arrival] = [a for day in range(N_DAYS) for a in self._of_day(day)]
        self._rng.shuffle(self._arrivals)

    def arrive(self, settings: Settings, day: int) -> None:
        """Write what arrives on a day into the lake."""
        lake, at = TinyLake(settings), FIRST_DAY + timedelta(days=day, hours=12)
        for number, write in self._arrivals:
            if number == day:
                write(lake, at)
        if day == ERASED_ON:
            _erase(settings, at)

    def _of_day(self, day: int) -> Iterator[Arrival]:
        """Yield what happens on a day, by the day of its arrival."""
        yield from self._calls(day)
        yield from self._midnight(day)
        yield from self._outcomes(day)
        yield from self._conversation(day)
        yield from conversations(self._rng, day, self._call)
        yield from self._judgements(day)
        yield from self._facts(day)
        yield from self._counters(day)
        yield from self._contents(day)
        yield from self._oddities(day)
        yield day, _books(day)

    def _calls(self, day: int) -> Iterator[Arrival]:
        """Ordinary calls; some arrive late, some twice, the second copy knowing more."""
        for place in range(4):
            number, late = 1000 * day + place, self._rng.choice([0, 0, 0, 2, 5])
            row = self._call(day, number, hour=6 + 4 * place)
            yield day + late, spans(f"calls/{number}", [row])
            if place == 1:
                rich = row | {"user_key": "u0", "route": "/ask", "duration_ms": 900.0,
                              "output_text_redacted": f"answer {number}"}  # fmt: skip
                yield day + 3, spans(f"calls/{number}/rich", [rich])
            if place == 2 and day % 3 == 0:
                moved = row | {"started_at": instant(day + 1, 0.01), "locale": "de_DE",
                               "ended_at": instant(day + 1, 0.02)}  # fmt: skip
                yield day + 4, spans(f"calls/{number}/moved", [moved])

    def _midnight(self, day: int) -> Iterator[Arrival]:
        """An agent that begins before midnight and calls a tool and a model after it."""
        number = 1000 * day + 500
        ids = {"feature": "code-helper", "request_id": f"agent-{day}", "tenant_key": "t1"}
        run = span(number, number, "agent", started_at=instant(day, 23.9), agent_name="a", **ids)
        tool = span(number + 1, number, "tool", started_at=instant(day + 1, 0.1), tool_name="search",
                    parent_span_id=f"{number:016x}", duration_ms=5.0)  # fmt: skip
        inner = self._call(day, number + 2, hour=24.2) | {
            "trace_id": f"{number:032x}", "parent_span_id": f"{number:016x}",
            "request_id": None, "feature": "code-helper",
        }  # fmt: skip
        found = span(number + 3, number, "retrieval", started_at=instant(day, 23.95),
                     retrieved_document_count=day % 2, packed_tokens=3)  # fmt: skip
        yield day, spans(f"agents/{day}", [run, found])
        late = self._rng.choice([1, 1, 4])
        yield day + late, spans(f"agents/{day}/rest", [tool, inner])
        ids = {"trace_id": f"{number:032x}", "span_id": f"{number + 1:016x}"}
        executed = {**ids, "role": "executed", "tool_name": "search", "called_at": instant(day + 1, 0.1),
                    "is_error": day % 4 == 0, "tool_call_id": f"c{day}"}  # fmt: skip
        yield day + 2, lambda lake, at: lake.tool_calls(f"agents/{day}/t", [known(executed, at)])
        document = {"trace_id": f"{number:032x}", "span_id": f"{number + 3:016x}",
                    "document_id": "d", "retrieved_at": instant(day, 23.95)}  # fmt: skip
        yield day + 1, lambda lake, at: lake.documents(f"agents/{day}/d", [known(document, at)])

    def _outcomes(self, day: int) -> Iterator[Arrival]:
        """Outcomes of requests: before the call is known, days after it, and corrected."""
        for name, place, column, value in (
            ("escalations", 0, "escalated_at", {"reason_code": "angry"}),
            ("overrides", 1, "overridden_at", {"override_type": "edit"}),
            ("conversions", 2, "converted_at", {"value_usd": 9.5}),
        ):
            request = {"request_id": f"r{1000 * day + place}", **value}
            first = request | {column: instant(day, 22), "recorded_at": instant(day, 23)}
            late = self._rng.choice([0, 1, 3])
            if day % 2 == place % 2:
                yield day + late, fact(name, f"{name}/{day}", first)
            if day % 4 == place:
                again = request | {column: instant(day + 1, 2), "recorded_at": instant(day + 2, 1)}
                yield day + 6, fact(name, f"{name}/{day}/again", again)
        future = {"request_id": f"r{1000 * day}", "reason_code": "later",
                  "escalated_at": instant(day, 23), "recorded_at": instant(day + 2, 3)}  # fmt: skip
        if day % 5 == 0:
            yield day, fact("escalations", f"escalations/{day}/future", future)

    def _conversation(self, day: int) -> Iterator[Arrival]:
        """A conversation of a week: one request over several days and traces."""
        row = self._call(day, 1000 * day + 300, hour=15) | {
            "request_id": f"talk-{day // 7}", "session_key": f"s{day // 7}", "status":
            "error" if day % 6 == 5 else "ok",
        }  # fmt: skip
        yield day + self._rng.choice([0, 2]), spans(f"talk/{day}", [row])

    def _judgements(self, day: int) -> Iterator[Arrival]:
        """Evaluations by span and by response, and people's feedback, whose scale changes."""
        number = 1000 * day
        ids = {"trace_id": f"{number:032x}", "span_id": f"{number:016x}"}
        refusal = {**ids, "evaluation_name": "refusal", "evaluation_score": day % 2,
                   "evaluated_at": instant(day + 1, 3), "annotator_kind": "model"}  # fmt: skip
        yield day + 2, evaluation(f"evaluations/{day}", refusal)
        thumbs = {"trace_id": None, "span_id": None, "response_id": f"resp{number + 1}",
                  "evaluation_name": "thumbs", "annotator_kind": "human",
                  "evaluation_score": float(day % 3 - 1), "evaluated_at": instant(day + 1, 4)}  # fmt: skip
        yield day + self._rng.choice([1, 3]), evaluation(f"thumbs/{day}", thumbs)
        if day == 20:
            stars = thumbs | {"evaluation_score": 5.0, "evaluated_at": instant(day, 20)}
            yield day + 1, evaluation("thumbs/stars", stars)

    def _facts(self, day: int) -> Iterator[Arrival]:
        """Tiers and buckets from days ago, and invoice lines that are corrected and moved."""
        if day % 6 == 0:
            tier = {"tenant_key": f"t{day % 3}", "tier": f"tier{day % 4}",
                    "valid_from_at": instant(day - 3, 7), "recorded_at": instant(day, 1)}  # fmt: skip
            yield day, fact("subscription_tiers", f"tiers/{day}", tier)
            same = tier | {"recorded_at": instant(day + 2, 1)}
            yield day + 2, fact("subscription_tiers", f"tiers/{day}/same", same)
        if day % 7 == 1:
            bucket = {"user_key": f"u{day % 4}", "experiment_name": "e", "recorded_at": instant(day, 1),
                      "bucket_name": f"b{day % 2}", "assigned_at": instant(day - 2, 9)}  # fmt: skip
            yield day + 1, fact("experiment_buckets", f"buckets/{day}", bucket)
        line = {"provider": "openai", "line_id": f"l{day}", "model": "gpt-4.1", "billed_usd": Decimal("0.1"),
                "usage_started_at": instant(day, 0), "recorded_at": instant(day, 2)}  # fmt: skip
        yield day + 1, fact("invoice_lines", f"lines/{day}", line)
        if day % 5 == 2:
            moved = line | {
                "usage_started_at": instant(day - 1, 0),
                "recorded_at": instant(day + 3, 2),
            }
            yield day + 4, fact("invoice_lines", f"lines/{day}/moved", moved)

    def _counters(self, day: int) -> Iterator[Arrival]:
        """A cumulative counter, a point of midnight among it; one day in four is silent or late."""
        for hour, count in ((6.0, 10 * day + 4), (24.0, 10 * day + 10)):
            point = {"series_hash": "s", "metric_name": "gen_ai.client.operation.duration",
                     "instrument": "histogram", "temporality": "cumulative", "is_monotonic": True,
                     "service_name": "svc", "environment": "production", "operation_name": "chat",
                     "request_model": "gpt-4.1", "measured_at": instant(day, hour),
                     "started_at": instant(0, 0), "point_count": count, "point_sum": float(count)}  # fmt: skip
            if (day + int(hour)) % 4 != 3:
                late = 5 if day % 6 == 4 else 1
                yield day + late, counter(f"counters/{day}/{hour}", point)

    def _contents(self, day: int) -> Iterator[Arrival]:
        """Content that was uploaded apart from its call, and a log event of a failure."""
        number = 1000 * day + 700
        row = self._call(day, number, hour=13) | {
            "input_content_name": f"in{day}",
            "status": "error",
        }
        yield day, spans(f"uploads/{day}", [row])
        piece = {"trace_id": None, "span_id": None, "content_name": f"in{day}", "direction": "input",
                 "carrier": "upload_object", "text_redacted": f"question {day}",
                 "recorded_at": instant(day + 1, 1)}  # fmt: skip
        yield day + 2, lambda lake, at: lake.contents(f"uploads/{day}/c", [known(piece, at)])
        event = {"trace_id": f"{number:032x}", "span_id": f"{number:016x}", "error_class": "timeout",
                 "event_name": "x", "recorded_at": instant(day, 13.5)}  # fmt: skip
        yield day + 1, lambda lake, at: lake.call_events(f"uploads/{day}/e", [known(event, at)])

    def _oddities(self, day: int) -> Iterator[Arrival]:
        """An object landed again with less in it, one found days late, and a clock that is ahead."""
        if day == 9:
            both = [self._call(day, 9800, hour=10), self._call(day, 9801, hour=11)]
            yield 9, spans("again", both)
            yield 14, spans("again", both[:1])
        if day == 10:
            row = self._call(day, 10800, hour=10)
            yield 18, lambda lake, at: lake.spans("found", [known(row, at - timedelta(days=7))])
        if day % 8 == 3:
            ahead = self._call(day, 1000 * day + 900, hour=24 * 2 + 5)
            yield day, spans(f"ahead/{day}", [ahead])

    def _call(self, day: int, number: int, hour: float) -> Row:
        """Return a call."""
        rng = self._rng
        return call(
            number,
            started_at=instant(day, hour),
            ended_at=instant(day, hour + 0.01),
            duration_ms=float(rng.randint(100, 900)),
            request_id=f"r{number}",
            response_id=f"resp{number}",
            tenant_key=rng.choice([None, "t0", "t1", "t2"]),
            user_key=rng.choice([None, "u1", "u2", "u3"]),
            service_name=rng.choice(["svc", "other"]),
            service_version=_version(day, number),
            prompt_name="p",
            prompt_version="v1" if day < 15 else "v2",
            response_model="gpt-4.1" if day < 8 else rng.choice(["gpt-4.1", "gpt-4.1-mini"]),
            input_tokens=rng.randint(5, 50),
            output_tokens=rng.randint(5, 50),
            finish_reasons=["stop"],
            is_stream=rng.choice([None, True]),
            sample_weight=rng.choice([1.0, 1.0, 2.5]),
            canary_id="probe" if number % 1000 == 3 else None,
        )


def _version(day: int, number: int) -> str | None:
    """Return the version of the service: rolled out, taken back after two days, and not always told."""
    if number % 7 == 0:
        return None
    return "2.1.0" if day in (12, 13) or day > 20 else "2.0.0"


def _books(day: int) -> Write:
    """Return how a day's books are written."""

    def write(lake: TinyLake, at: datetime) -> None:
        key = f"calls/{1000 * day}"
        lake.ledger(key, arrived_at=at, night_as_of=night_of(day), object_size_bytes=1000 + day)
        lake.redactions(key, {"EMAIL": day % 3}, arrived_at=at)
        lake.quarantine(f"bad/{day}", [{"source_offset": -1, "reason": "x", "arrived_at": at}])
        lake.night(f"n{day}", night_as_of=night_of(day))

    return write


def _erase(settings: Settings, at: datetime) -> None:
    """Take a person's spans out of the lake, as an erasure does, and leave its tombstone."""
    for file in list(Lake(settings.lake_dir).files("spans")):
        data = pq.read_table(file.path, partitioning=None)
        theirs = pc.is_in(data["user_key"], value_set=pa.array([ERASED_USER]))
        if pc.any(theirs).as_py():
            Lake(settings.lake_dir).write_table(data.filter(pc.invert(theirs)), file.path)
    write_tombstones(settings, "receipt", [Tombstone("user", "user", "0" * 64, at)])
