"""The judgement schema: what the Python stages write into the warehouse, append-only.

Every table is append-only: a row that changes is written again with the next ``revision``. The
first revision is *as first reported*, the last *as now known*.
"""

from typing import Literal

from include.freezeline.contracts.columns import Column, Table
from include.freezeline.contracts.judgement_alerts import (
    ALERT_DELIVERIES,
    ALERT_EVENTS,
    RECOMMENDED_ACTIONS,
)
from include.freezeline.contracts.judgement_common import REVISION, SUBJECT
from include.freezeline.contracts.judgement_evidence import (
    CALL_SCORES,
    EVALUATOR_AGREEMENTS,
    ROOT_CAUSES,
    STYLE_FINGERPRINTS,
    VERDICT_EXAMPLES,
)

__all__ = [
    "ALERT_DELIVERIES",
    "ALERT_EVENTS",
    "CALL_SCORES",
    "CHECK_RESULTS",
    "EVALUATOR_AGREEMENTS",
    "FREEZE_FLAGS",
    "FREEZE_OVERRIDES",
    "FREEZE_TRANSITIONS",
    "JUDGEMENT_TABLES",
    "RECOMMENDED_ACTIONS",
    "ROOT_CAUSES",
    "SLO_ATTRIBUTIONS",
    "SLO_WINDOWS",
    "STYLE_FINGERPRINTS",
    "VERDICTS",
    "VERDICT_EXAMPLES",
    "FreezeState",
    "Verdict",
]

Verdict = Literal["ok", "warning", "breach", "insufficient_evidence"]
FreezeState = Literal["OPEN", "WARNING", "FROZEN", "RECOVERING"]

VERDICTS = Table(
    name="verdicts",
    grain="one row per question, subject, as_of and revision",
    key=("verdict_key",),
    columns=(
        Column(
            "verdict_key", "string", "Hash of as_of, family, question and subject.", nullable=False
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column(
            "family", "string", "drift, divergence, anomaly, slo or completeness.", nullable=False
        ),
        Column(
            "question",
            "string",
            "What was asked: semantic_shift, semantic_shift_paired, style_shift_paired, output_divergence, fingerprint_change_point, input_tokens_creep, ...",
            nullable=False,
        ),
        *SUBJECT,
        Column(
            "model",
            "string",
            "Model name judged, the one asked for; for fingerprint_change_point the one that answered; null over all.",
        ),
        Column("prompt_version", "string", "Prompt version judged; null over all."),
        Column("tenant_key", "string", "Tenant judged; null over all."),
        Column("window_started_at", "timestamp", "Start of the judged window.", nullable=False),
        Column(
            "window_ended_at", "timestamp", "Exclusive end of the judged window.", nullable=False
        ),
        Column(
            "reference_started_at",
            "timestamp",
            "Start of the reference window; null when there is none.",
        ),
        Column("reference_ended_at", "timestamp", "Exclusive end of the reference window."),
        Column("value", "float64", "The statistic or effect; null when it cannot be computed."),
        Column("value_lower", "float64", "Lower end of its interval."),
        Column("value_upper", "float64", "Upper end of its interval."),
        Column(
            "unit",
            "string",
            "Unit of value; 'ratio', 'ms', 'tokens', 'usd', 'nats', 'days', 'score' or 'none'.",
            nullable=False,
        ),
        Column("threshold", "float64", "What the value or p-value was compared with, unrounded."),
        Column(
            "p_value", "float64", "Calibrated p-value, never 0; null where the question has none."
        ),
        Column("q_value", "float64", "p-value after false-discovery control over the night."),
        Column("n_reference", "int64", "Rows in the reference window.", nullable=False),
        Column("n_current", "int64", "Rows in the judged window.", nullable=False),
        Column(
            "verdict", "string", "ok, warning, breach or insufficient_evidence.", nullable=False
        ),
        Column("reason", "string", "The verdict in words, with its numbers.", nullable=False),
        Column("method", "string", "Name of the statistic.", nullable=False),
        Column("method_version", "string", "Version of the method.", nullable=False),
        Column("seed", "int64", "Seed of the random generator; null when none was used."),
        Column("input_hash", "string", "Hash of the inputs.", nullable=False),
        Column(
            "evidence_query",
            "string",
            "SQL that shows the rows behind the verdict.",
            nullable=False,
        ),
        Column("details", "json", "Method-specific numbers and redacted examples.", nullable=False),
    ),
)

SLO_WINDOWS = Table(
    name="slo_windows",
    grain="one row per SLO, feature, environment, as_of and revision",
    key=("slo_window_key",),
    columns=(
        Column(
            "slo_window_key",
            "string",
            "Hash of slo_name, feature, environment and as_of.",
            nullable=False,
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column("slo_name", "string", "metadata.name of the SLO file.", nullable=False),
        *SUBJECT,
        Column("objective", "string", "The objective in words.", nullable=False),
        Column(
            "limit_text", "string", "Allowed bad ratio as an exact decimal string.", nullable=False
        ),
        Column(
            "op",
            "string",
            "lt: the bad ratio must stay below the limit; lte: at most.",
            nullable=False,
        ),
        Column("consequence", "string", "freeze or warn.", nullable=False),
        Column(
            "window_started_at",
            "timestamp",
            "Start of the 28-day (compliance) window.",
            nullable=False,
        ),
        Column(
            "window_ended_at", "timestamp", "Exclusive end of the window, = as_of.", nullable=False
        ),
        Column(
            "event_count",
            "int64",
            "Events in the window; sampled rows count as the calls they stand for, here and in every count.",
            nullable=False,
        ),
        Column("bad_count", "int64", "Events known to be bad.", nullable=False),
        Column("pending_count", "int64", "Events whose outcome may still arrive.", nullable=False),
        Column("bad_lower_ratio", "float64", "bad / events; null without events."),
        Column("bad_upper_ratio", "float64", "(bad + pending) / events."),
        Column(
            "consumed_lower_ratio",
            "float64",
            "Share of the error budget surely spent; may exceed 1.",
        ),
        Column(
            "consumed_nowcast_ratio",
            "float64",
            "Share spent with the 97.5% nowcast of pending outcomes; what the thaw uses.",
        ),
        Column(
            "consumed_upper_ratio",
            "float64",
            "Worst case: share spent if every pending event turns bad.",
        ),
        Column(
            "nowcast_bad_ratio",
            "float64",
            "Bad ratio that the window will end with, by Kaplan and Meier; null without a maturity lag.",
        ),
        Column("nowcast_bad_lower_ratio", "float64", "Lower end of its 95% interval."),
        Column("nowcast_bad_upper_ratio", "float64", "Upper end."),
        Column("bad_interval_lower_ratio", "float64", "Jeffreys 95% lower bound of the bad ratio."),
        Column("bad_interval_upper_ratio", "float64", "Jeffreys 95% upper bound."),
        Column("p_breach", "float64", "Jeffreys P(bad ratio >= limit)."),
        Column("event_24h_count", "int64", "Events in the last 24 hours.", nullable=False),
        Column("bad_24h_count", "int64", "Known bad events in the last 24 hours.", nullable=False),
        Column("bad_24h_ratio", "float64", "Bad ratio of the last 24 hours; null without events."),
        Column(
            "burn_rate_24h",
            "float64",
            "bad_24h_ratio / limit; no unit; 1 spends the budget exactly in the window.",
        ),
        Column(
            "worst_24h_ratio",
            "float64",
            "Worst bad ratio of any 24 hours in the window; null below the minimum events.",
        ),
        Column("worst_24h_ended_at", "timestamp", "End of those 24 hours."),
        Column(
            "detector_score",
            "float64",
            "Shiryaev-Roberts evidence that the bad ratio exceeds the limit lately.",
        ),
        Column(
            "time_to_exhaustion_h",
            "float64",
            "Hours until the rest of the budget is spent at the last day's burn; null when that burn is at most 1.",
        ),
        Column(
            "verdict", "string", "ok, warning, breach or insufficient_evidence.", nullable=False
        ),
        Column(
            "state_hint",
            "string",
            "Freeze state this SLO alone would ask for; empty when it holds the previous one.",
            nullable=False,
        ),
        Column(
            "burn_windows",
            "json",
            "Bad and all events of the last 1, 2, 6, 24 and 72 hours whose outcome is final, and when these windows ended; null from before there were alerts.",
        ),
        Column("reason", "string", "The verdict in words, with its numbers.", nullable=False),
        Column("input_hash", "string", "Hash of the inputs.", nullable=False),
        Column("evidence_query", "string", "SQL that lists the bad events.", nullable=False),
    ),
)

SLO_ATTRIBUTIONS = Table(
    name="slo_attributions",
    grain="one row per SLO window, dimension and dimension value",
    key=("slo_attribution_key",),
    columns=(
        Column(
            "slo_attribution_key",
            "string",
            "Hash of SLO, subject, as_of, dimension and value.",
            nullable=False,
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column("slo_name", "string", "SLO.", nullable=False),
        *SUBJECT,
        Column(
            "dimension",
            "string",
            "prompt_version, request_model, tenant_key, route, or call_date (the days of the window).",
            nullable=False,
        ),
        Column(
            "dimension_value",
            "string",
            "Value of the dimension; '(none)' when the call has none.",
            nullable=False,
        ),
        Column("event_count", "int64", "Events of the value in the window.", nullable=False),
        Column("bad_count", "int64", "Known bad events of the value.", nullable=False),
        Column("bad_ratio", "float64", "bad_count / event_count."),
        Column(
            "budget_share_ratio",
            "float64",
            "Part of the whole budget this value spent; the parts add up to the consumed ratio.",
        ),
        Column(
            "excess_bad_count",
            "float64",
            "bad_count minus what the limit allows on the value's events; adds up to the overspend.",
        ),
        Column(
            "consumed_without_ratio",
            "float64",
            "Share of the budget that all other values together spent of theirs.",
        ),
        Column(
            "previous_event_count",
            "int64",
            "Events of the value in the window of the same length before; null for days.",
        ),
        Column("previous_bad_ratio", "float64", "Known bad ratio of the value in that window."),
        Column(
            "rate_effect_ratio",
            "float64",
            "What the value's own bad ratio added to the overall one since then; with the mix effects it adds up to the change.",
        ),
        Column(
            "mix_effect_ratio",
            "float64",
            "What its share of the traffic added; null without events then or now, and for days.",
        ),
    ),
)

FREEZE_TRANSITIONS = Table(
    name="freeze_transitions",
    grain="one row per change of a feature's freeze state in an environment",
    key=("transition_key",),
    columns=(
        Column(
            "transition_key",
            "string",
            "Hash of feature, environment and transitioned_at.",
            nullable=False,
        ),
        *REVISION,
        *SUBJECT,
        Column("from_state", "string", "OPEN, WARNING, FROZEN or RECOVERING.", nullable=False),
        Column("to_state", "string", "OPEN, WARNING, FROZEN or RECOVERING.", nullable=False),
        Column(
            "transitioned_at",
            "timestamp",
            "as_of of the evaluation that changed the state.",
            nullable=False,
        ),
        Column("slo_name", "string", "The SLO that decided; null when no single one did."),
        Column("reason", "string", "Why, in words.", nullable=False),
        Column("actor", "string", "'nightly' or the person of an override.", nullable=False),
    ),
)

FREEZE_FLAGS = Table(
    name="freeze_flags",
    grain="one row per feature, environment, as_of and revision",
    key=("flag_key",),
    columns=(
        Column("flag_key", "string", "Hash of feature, environment and as_of.", nullable=False),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        *SUBJECT,
        Column("state", "string", "OPEN, WARNING, FROZEN or RECOVERING.", nullable=False),
        Column(
            "is_frozen",
            "bool",
            "True in FROZEN and RECOVERING: feature changes may not ship.",
            nullable=False,
        ),
        Column("since_at", "timestamp", "When the state was entered.", nullable=False),
        Column("slo_name", "string", "Worst SLO; null when the feature has no evaluated SLO."),
        Column("reason", "string", "Why, in words.", nullable=False),
        Column(
            "earliest_thaw_at",
            "timestamp",
            "First evaluation at which releases may ship again (OPEN or WARNING) if nothing bad happens; null when not frozen or beyond the horizon.",
        ),
        Column(
            "data_through_at",
            "timestamp",
            "Latest event the decision knew of; null when there was none.",
        ),
        Column("evaluated_at", "timestamp", "When the decision was made.", nullable=False),
        Column(
            "valid_until_at",
            "timestamp",
            "From here on the flag is stale and must be read as frozen.",
            nullable=False,
        ),
        Column("slo_count", "int64", "SLOs evaluated.", nullable=False),
        Column(
            "evaluations_json",
            "json",
            "State machine memory (clean evaluations in a row, frozen since) and the list of SLO verdicts.",
            nullable=False,
        ),
    ),
)

FREEZE_OVERRIDES = Table(
    name="freeze_overrides",
    grain="one row per feature and event of the log of overrides: granted or revoked",
    key=("override_event_key",),
    columns=(
        Column("override_event_key", "string", "Hash of event_hash and feature.", nullable=False),
        *REVISION,
        *SUBJECT,
        Column("override_id", "string", "The override; revoking names it again.", nullable=False),
        Column("event_kind", "string", "granted or revoked.", nullable=False),
        Column("recorded_at", "timestamp", "When the row was written.", nullable=False),
        Column("change_ref", "string", "The one change it is for; null for any."),
        Column("reason", "string", "Why it was granted, or revoked.", nullable=False),
        Column("requested_by", "string", "Who asked for it, or revoked it.", nullable=False),
        Column("approved_by", "string", "Who else approved; null on a revoked row."),
        Column("created_at", "timestamp", "From when it holds.", nullable=False),
        Column("expires_at", "timestamp", "Until when, exclusive.", nullable=False),
        Column("login_name", "string", "Account that the command ran under.", nullable=False),
        Column("event_index", "int64", "Place in the log, from 1.", nullable=False),
        Column("event_hash", "string", "SHA-256 that chains the log's rows, hex.", nullable=False),
    ),
)

CHECK_RESULTS = Table(
    name="check_results",
    grain="one row per expectation and run",
    key=("check_key",),
    columns=(
        Column(
            "check_key", "string", "Hash of suite, expectation, subject and as_of.", nullable=False
        ),
        *REVISION,
        Column("as_of", "timestamp", "Night checked.", nullable=False),
        Column(
            "suite_name",
            "string",
            "Boundary: landed_batch, business_facts or published_marts.",
            nullable=False,
        ),
        Column("expectation", "string", "Expectation with its column.", nullable=False),
        Column("severity", "string", "critical or warning.", nullable=False),
        Column("is_success", "bool", "Whether it held.", nullable=False),
        Column("unexpected_count", "int64", "Rows that broke it; null when it is not about rows."),
        Column("checked_count", "int64", "Rows looked at."),
        Column(
            "message", "string", "What to do when it failed; never a raw value.", nullable=False
        ),
    ),
)

JUDGEMENT_TABLES = (
    VERDICTS,
    ROOT_CAUSES,
    VERDICT_EXAMPLES,
    SLO_WINDOWS,
    SLO_ATTRIBUTIONS,
    FREEZE_TRANSITIONS,
    FREEZE_FLAGS,
    FREEZE_OVERRIDES,
    ALERT_EVENTS,
    ALERT_DELIVERIES,
    RECOMMENDED_ACTIONS,
    CHECK_RESULTS,
    CALL_SCORES,
    EVALUATOR_AGREEMENTS,
    STYLE_FINGERPRINTS,
)
