"""The grammar of names refuses what docs/naming.md refuses, and nothing that stands there."""

import pytest

from tests.architecture.names import column_fault, model_fault, sentence_fault

BAD_MODELS = [
    ("staging", "otel", "otel_spans"),
    ("staging", "otel", "stg_otel_spans"),
    ("staging", "otel", "stg_otel__span"),
    ("staging", "otel", "stg_facts__escalations"),
    ("staging", "otel", "stg_otel__Spans"),
    ("intermediate", "calls", "int_calls__prices"),
    ("intermediate", "calls", "int_calls_priced"),
    ("marts", "calls", "calls"),
    ("marts", "calls", "stg_otel__spans"),
    ("marts", "calls", "fct_llm_call"),
    ("marts", "business", "dim_tenants"),
    ("marts", "calls", "agg_calls"),
    ("marts", "calls", "agg_daily"),
    ("marts", "questions", "rpt_slow_requests"),
    ("marts", "calls", "fct_llm__calls"),
]
GOOD_MODELS = [
    ("staging", "otel", "stg_otel__retrieval_documents"),
    ("staging", "prices", "stg_prices__price_book"),
    ("intermediate", "tenants", "int_tenants__tier_periods_built"),
    ("marts", "calls", "fct_feedback"),
    ("marts", "business", "dim_prompt_version"),
    ("marts", "cost", "agg_cost_hourly"),
    ("marts", "questions", "rpt_product_manager__session_tool_errors"),
]
BAD_COLUMNS = [
    ("latency", "double"),
    ("latency_p95", "double"),
    ("latency_ms_p95", "double"),
    ("p95_of_latency", "double"),
    ("cost", "decimal(18,9)"),
    ("cost_dollars", "decimal(18,9)"),
    ("usd_cost", "decimal(18,9)"),
    ("cost_usd_total", "decimal(18,9)"),
    ("error_pct", "double"),
    ("error_rate", "double"),
    ("error_ratio", "string"),
    ("num_calls", "bigint"),
    ("calls", "bigint"),
    ("n_calls", "string"),
    ("call_count", "boolean"),
    ("created_ts", "timestamptz"),
    ("created", "timestamptz"),
    ("created_at", "string"),
    ("created_date", "timestamptz"),
    ("created_day", "date"),
    ("frozen", "boolean"),
    ("frozen_flag", None),
    ("is_frozen", "string"),
    ("tenant_key", "bigint"),
    ("duration_seconds", None),
    ("durationMs", "double"),
    ("Duration_ms", None),
    ("size_mb", None),
]
GOOD_COLUMNS = [
    ("latency_p95_ms", "double"),
    ("cost_usd", "decimal(18,9)"),
    ("input_usd_per_token", "decimal(18,12)"),
    ("good_requests_per_usd", "double"),
    ("cache_hit_ratio", "double"),
    ("n_calls", "bigint"),
    ("finish_stop_count", "double"),
    ("called_at", "timestamptz"),
    ("as_of", "timestamp"),
    ("call_date", "date"),
    ("is_changed_under_its_name", "boolean"),
    ("tenant_key", "VARCHAR"),
    ("burn_rate_24h", "double"),
    ("environment", "string"),
]


@pytest.mark.parametrize(("layer", "folder", "name"), BAD_MODELS)
def test_bad_model_names_are_refused(layer: str, folder: str, name: str) -> None:
    assert model_fault(layer, folder, name)


@pytest.mark.parametrize(("layer", "folder", "name"), GOOD_MODELS)
def test_good_model_names_pass(layer: str, folder: str, name: str) -> None:
    assert model_fault(layer, folder, name) is None


@pytest.mark.parametrize(("name", "data_type"), BAD_COLUMNS)
def test_bad_column_names_are_refused(name: str, data_type: str | None) -> None:
    assert column_fault(name, data_type)


@pytest.mark.parametrize(("name", "data_type"), GOOD_COLUMNS)
def test_good_column_names_pass(name: str, data_type: str) -> None:
    assert column_fault(name, data_type) is None


def test_a_test_is_a_sentence() -> None:
    assert sentence_fault("test_1")
    assert sentence_fault("agg_cost_hourly")
    assert sentence_fault("cost_is_attributed_once_and_what_has_none_is_counted") is None
