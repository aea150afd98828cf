"""What hangs on calls, and what sampled calls stand for: built and compared with hand counts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.jobs.build import build
from include.freezeline.settings import Settings
from tests.dbt.tiny_lake import ARRIVED_AT, DAY, TinyLake, at, call, span

pytestmark = [pytest.mark.integration, pytest.mark.slow]

AS_OF = DAY + timedelta(days=1)


def ids(number: int, trace: int | None = None) -> dict[str, str]:
    """Return the ids of a span."""
    return {"trace_id": f"{trace or number:032x}", "span_id": f"{number:016x}"}


def message(name: str, direction: str, text: str, **values: Any) -> dict[str, Any]:
    """Return a message of an older convention: a log event of its own."""
    own = {"event_name": name, "direction": direction, "carrier": "log_event"}
    return {**ids(1), **own, "text_redacted": text, "recorded_at": at(12), **values}


def fill_contents(lake: TinyLake) -> None:
    """Calls whose messages came as log events, as uploads, on the span, and not at all."""
    events = [
        message("gen_ai.system.message", "system", "be kind"),
        message("gen_ai.user.message", "input", "first question"),
        message("gen_ai.assistant.message", "input", "earlier answer"),
        message("gen_ai.user.message", "input", "last question"),
        message("gen_ai.choice", "output", "answer", finish_reason="stop"),
        message("gen_ai.choice", "output", "other answer", recorded_at=at(12.001)),
    ]
    lake.contents("logs/a", events)
    lake.contents("logs/again", events[:4])
    lake.contents("logs/later", [{**events[3], "text_redacted": "too late", "arrived_at": AS_OF}])
    upload = {"carrier": "upload_object", "recorded_at": ARRIVED_AT}
    for name, direction in (("in.json", "input"), ("out.json", "output")):
        row = {"content_name": name, "direction": direction, "text_redacted": f"of {name}"}
        lake.contents(f"uploads/{name}", [{**upload, **row}])
    own = {"input_text_redacted": "own question"}
    names = {"input_content_name": "in.json", "output_content_name": "out.json"}
    lake.spans(
        "traces/a",
        [
            call(1, prompt_hash="h", queue_ms=3.0, http_status_code=200, consent="granted"),
            call(2, **names, **own),
            call(3, **names, consent="denied"),
            call(4, status="error", error_type="APIError"),
        ],
    )
    failure = {**ids(4), "event_name": "gen_ai.client.operation.exception", "recorded_at": at(12)}
    lake.call_events("logs/a", [{**failure, "error_class": "timeout", "error_type": "Timeout"}])


def fill_sampled(lake: TinyLake) -> None:
    """Two successes of ten kept each, one failure of one; the source counted 22 calls."""
    usage = {"feature": "search", "service_name": "api", "input_tokens": 100, "output_tokens": 10}
    success = {**usage, "sample_weight": 10.0, "response_id": "resp-1"}
    lake.spans(
        "traces/sampled",
        [
            call(11, **success, duration_ms=100.0),
            call(12, **usage | {"sample_weight": 10.0}, duration_ms=200.0),
            call(13, **usage | {"output_tokens": None}, duration_ms=900.0, status="error"),
        ],
    )
    point = {
        "feature": "search",
        "environment": "production",
        "service_name": "api",
        "request_model": "gpt-4.1",
        "operation_name": "chat",
        "instrument": "histogram",
        "temporality": "cumulative",
        "started_at": at(0),
    }
    duration = {**point, "metric_name": "gen_ai.client.operation.duration", "series_hash": "d"}
    tokens = {**point, "metric_name": "gen_ai.client.token.usage", "series_hash": "t"}
    points = [
        {**duration, "measured_at": at(6), "point_count": 8, "point_sum": 1.0},
        {**duration, "measured_at": at(12), "point_count": 22, "point_sum": 3.0},
        {**tokens, "token_type": "input", "measured_at": at(12), "point_count": 22,
         "point_sum": 2250.0},
    ]  # fmt: skip
    lake.counters("metrics/a", points)
    lake.counters("metrics/again", points[1:])


def fill_details(lake: TinyLake) -> None:
    """Documents and tool calls, one object delivered twice, once fuller."""
    retrieval = span(21, 1, "retrieval", collapsed_span_count=3, packed_document_count=1)
    tool = span(22, 1, "tool", duration_ms=40.0)
    lake.spans("traces/details", [retrieval, tool])
    # rows of one span share the ordinal of its record
    document = {**ids(21, 1), "source_offset": 0, "retrieved_at": at(12), "document_score": 0.5}
    lake.documents(
        "traces/details",
        [
            {**document, "document_rank": 0, "document_id": "d1", "content_redacted": "text"},
            {**document, "document_rank": 1, "document_id": "d2"},
        ],
    )
    lake.documents("traces/poorer", [{**document, "document_rank": 0}])
    request = {"role": "requested", "called_at": at(12)}
    lake.tool_calls("logs/poorer", [{**ids(1), **request, "call_index": 1}])
    lake.tool_calls(
        "traces/details",
        [
            {**ids(1), **request, "call_index": 0, "tool_call_id": "c1"},
            {**ids(1), **request, "call_index": 1, "tool_call_id": "c2"},
            {**ids(22, 1), "role": "executed", "called_at": at(12), "tool_call_id": "c1",
             "is_error": True},
        ],
    )  # fmt: skip


def fill_books(lake: TinyLake) -> None:
    """A night's books, and evaluations that name no span."""
    lake.night("traces", night_as_of=AS_OF, object_count=2, usual_record_count=10)
    lake.night("traces-later", night_as_of=AS_OF + timedelta(days=1))
    lake.redactions("traces/a", {"EMAIL": 2, "FIELDS_SCANNED": 40})
    lake.redactions("traces/b", {"EMAIL": 1, "FIELDS_SCANNED": 9, "FIELDS_DROPPED": 1})
    planted = {"planted_count": 20, "found_count": 19, "recall_ratio": 0.95}
    lake.canaries(AS_OF, [{"entity_type": name, **planted} for name in ("EMAIL", "CARD")])
    judged = {"evaluation_name": "helpful", "evaluated_at": at(13), "carrier": "score_record"}
    lake.evaluations(
        "scores/a",
        [
            {**judged, "response_id": "resp-1", "evaluation_score": 1.0},
            {**judged, "session_key": "s_1", "annotator_kind": "human", "evaluation_label": "no"},
            {**judged, "session_key": "s_2", "annotator_kind": "human", "evaluation_label": "no"},
        ],
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The lake, built once."""
    settings = Settings(home=tmp_path_factory.mktemp("details") / "home")
    lake = TinyLake(settings)
    for fill in (fill_contents, fill_sampled, fill_details, fill_books):
        fill(lake)
    build(settings, AS_OF)
    return settings


@pytest.fixture
def warehouse(built: Settings) -> Iterator[Warehouse]:
    """The built warehouse, open."""
    with open_warehouse(built.warehouse_path, read_only=True) as opened:
        yield opened


def values(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    """Return rows as tuples."""
    return [tuple(row.values()) for row in warehouse.rows(sql)]


def test_texts_come_from_the_span_or_from_what_came_apart_from_it(warehouse: Warehouse) -> None:
    sql = """
        select right(c.span_id, 2), t.input_text_redacted, t.output_text_redacted,
            t.input_text_source, t.output_text_source
        from marts.fct_call_texts as t inner join marts.fct_llm_calls as c using (call_key)
        order by c.span_id
    """
    assert values(warehouse, sql) == [
        ("01", "last question", "answer", "log_event", "log_event"),
        ("02", "own question", "of out.json", "span", "upload_object"),
    ]


def test_texts_lie_in_one_table_of_the_warehouse_only(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where data_type = 'VARCHAR' and table_schema in ('staging', 'intermediate', 'marts')"
    )
    assert len(found) > 100
    holders = {
        row["table_name"]
        for row in found
        if warehouse.rows(
            f"select 1 from {row['table_schema']}.{row['table_name']} where contains("
            f"\"{row['column_name']}\", 'question') limit 1"
        )
    }
    assert holders == {"fct_call_texts"}


def test_call_takes_its_finish_reason_from_its_answers_event(warehouse: Warehouse) -> None:
    sql = """
        select finish_reason, prompt_hash, queue_ms, http_status_code, consent, data_class
        from marts.fct_llm_calls where right(span_id, 2) = '01'
    """
    assert values(warehouse, sql) == [("stop", "h", 3.0, 200, "granted", None)]


def test_call_takes_the_class_of_its_error_from_the_exceptions_event(warehouse: Warehouse) -> None:
    sql = "select error_class, error_type from marts.fct_llm_calls where right(span_id, 2) = '04'"
    assert values(warehouse, sql) == [("timeout", "APIError")]


def test_day_of_sampled_calls_adds_up_to_what_happened(warehouse: Warehouse) -> None:
    sql = """
        select n_calls, call_count, n_errors, error_count, error_ratio, input_sum_tokens,
            output_sum_tokens, duration_p50_ms
        from marts.agg_feature_daily where feature = 'search'
    """
    # ten calls of 100 ms, ten of 200 and one of 900: the eleventh of 21 is the median
    assert values(warehouse, sql) == [(3, 21.0, 1, 1.0, 1 / 21, 2100, 200, 200.0)]


def test_usage_shows_the_sources_own_count_beside_the_spans(warehouse: Warehouse) -> None:
    sql = """
        select n_calls, call_count, counted_call_count, call_gap_count, total_call_count,
            input_sum_tokens, counted_input_tokens, input_gap_tokens, total_input_tokens,
            counted_output_tokens, output_gap_tokens, total_output_tokens
        from marts.agg_usage_daily where service_name = 'api'
    """
    assert values(warehouse, sql) == [
        (3, 21.0, 22, 1.0, 22.0, 2100, 2250, 150, 2250, None, None, 200)
    ]
    increases = "select increase_count from marts.fct_source_counters order by series_hash, measured_at"  # fmt: skip
    assert values(warehouse, increases) == [(8,), (14,), (22,)]


def test_documents_are_those_of_the_fullest_copy(warehouse: Warehouse) -> None:
    sql = """
        select document_rank, document_id, document_content_hash is not null, feature
        from marts.fct_retrieved_documents order by document_rank
    """
    assert values(warehouse, sql) == [
        (0, "d1", True, "support-assistant"),
        (1, "d2", False, "support-assistant"),
    ]
    sql = "select collapsed_span_count, packed_document_count from marts.fct_retrievals"
    assert values(warehouse, sql) == [(3, 1)]


def test_requested_tool_call_knows_whether_it_was_executed(warehouse: Warehouse) -> None:
    sql = """
        select role, tool_call_id, is_executed, is_error, duration_ms, call_key is not null
        from marts.fct_tool_calls order by role, tool_call_id
    """
    assert values(warehouse, sql) == [
        ("executed", "c1", None, True, 40.0, False),
        ("requested", "c1", True, None, None, True),
        ("requested", "c2", False, None, None, True),
    ]


def test_evaluation_without_a_span_finds_its_call_or_stays_with_its_session(
    warehouse: Warehouse,
) -> None:
    sql = """
        select e.session_key, right(c.span_id, 2), e.feature, e.annotator_kind, e.sample_weight
        from marts.fct_evaluations as e left join marts.fct_llm_calls as c using (call_key)
        order by e.session_key nulls first
    """
    assert values(warehouse, sql) == [
        (None, "0b", "search", None, 10.0),
        ("s_1", None, None, "human", None),
        ("s_2", None, None, "human", None),
    ]


def test_nightly_books_are_known_up_to_as_of(warehouse: Warehouse) -> None:
    sql = "select source_name, night_as_of, object_count, verdict from marts.fct_landing_nights"
    assert values(warehouse, sql) == [("traces", AS_OF, 2, "ok")]
    sql = """
        select entity_type, object_count, value_count, planted_count, recall_ratio
        from marts.agg_redaction_nightly where night_as_of = ? order by entity_type
    """
    found = [tuple(row.values()) for row in warehouse.rows(sql, [AS_OF])]
    assert found == [
        ("CARD", 0, 0, 20, 0.95),
        ("EMAIL", 2, 3, 20, 0.95),
        ("FIELDS_DROPPED", 1, 1, None, None),
        ("FIELDS_SCANNED", 2, 49, None, None),
    ]
