"""Which column of a call an anomaly question looks at, and that the calls have it."""

from include.freezeline.config import config_dir
from include.freezeline.drift.anomaly_policy import load_anomaly_policy
from include.freezeline.jobs.judge_causes import symptoms
from include.freezeline.settings import Settings

POLICY = load_anomaly_policy(config_dir(Settings()))
# No single call has these.
_OF_MANY = {
    "retrieval_prompt_hourly_ratio",
    "token_efficiency_hourly_ratio",
    "tool_error_hourly",
    "fingerprint_change_point",
}


def test_questions_over_all_versions_have_a_symptom_of_a_call() -> None:
    found = symptoms(POLICY)
    daily = {q.name for q in POLICY.questions if q.kind == "ratio"}
    hourly = {q.name for q in POLICY.hourly.questions}
    assert set(found) == daily | hourly | {"fingerprint_change_point"}
    assert {name for name, column in found.items() if column is None} == _OF_MANY


def test_questions_inside_versions_have_none() -> None:
    inside = {q.name for q in POLICY.questions if q.kind != "ratio"}
    assert len(inside) > 3
    assert not inside & set(symptoms(POLICY))


def test_symptoms_are_those_of_the_question() -> None:
    found = symptoms(POLICY)
    assert found["retrieval_empty_ratio"] == "c.is_retrieval_empty"
    assert found["tpot_p50_hourly_ms"] == "c.tpot_ms"
    assert found["timeout_hourly"] == "coalesce(c.error_class = 'timeout', false)"
    assert found["finish_length_hourly"] == "coalesce(c.finish_reason = 'length', false)"
