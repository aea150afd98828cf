"""The judgement tables of what people are told, and of what may help."""

from typing import Literal

from include.freezeline.contracts.columns import Column, Table
from include.freezeline.contracts.judgement_common import REVISION, SUBJECT

AlertTier = Literal["P0", "P1", "P2", "P3"]
Transition = Literal["OPENED", "ESCALATED", "DEESCALATED", "REFRESHED", "REMINDED", "RESOLVED"]

ALERT_EVENTS = Table(
    name="alert_events",
    grain="one row per alert, transition and night: the outbox of what people are to be told",
    key=("alert_event_key",),
    columns=(
        Column(
            "alert_event_key",
            "string",
            "Hash of dedup_key, transition and transitioned_at.",
            nullable=False,
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column(
            "dedup_key",
            "string",
            "freezeline:environment:signal:feature:family:episode start; the same from the first word about an alert to the last.",
            nullable=False,
        ),
        Column(
            "transition",
            "string",
            "OPENED, ESCALATED, DEESCALATED, REFRESHED (as before; only Alertmanager is told), REMINDED or RESOLVED.",
            nullable=False,
        ),
        *SUBJECT,
        Column(
            "signal",
            "string",
            "SLO, question or evaluator; 'composite' of several families, 'release' of a freeze.",
            nullable=False,
        ),
        Column(
            "family",
            "string",
            "outcome, errors, quality, latency, cost, drift, composite or freeze.",
            nullable=False,
        ),
        Column("tier", "string", "P0, P1, P2 or P3; when resolved the last one.", nullable=False),
        Column("earlier_tier", "string", "Tier before; null when it opened."),
        Column("episode_started_at", "timestamp", "When the alert opened.", nullable=False),
        Column("transitioned_at", "timestamp", "Night of the transition, = as_of.", nullable=False),
        Column(
            "is_silent", "bool", "True for a backfill: recorded, told to nobody.", nullable=False
        ),
        Column("is_told", "bool", "Whether people are to know of this episode.", nullable=False),
        Column("clean_run_count", "int64", "Clean runs in a row.", nullable=False),
        Column("reminded_at", "timestamp", "When a lasting freeze was last told; null otherwise."),
        Column(
            "composite_score",
            "float64",
            "Composite score of the feature, 0 to 1; null where nothing could be judged.",
        ),
        Column("owner", "string", "Who answers for it.", nullable=False),
        Column("runbook", "string", "Where it says what to do.", nullable=False),
        Column("summary", "string", "The alert in one sentence.", nullable=False),
        Column("details", "json", "Numbers, contributors and links.", nullable=False),
    ),
)

ALERT_DELIVERIES = Table(
    name="alert_deliveries",
    grain="one row per attempt to tell an alert event to a channel",
    key=("alert_delivery_key",),
    columns=(
        Column(
            "alert_delivery_key",
            "string",
            "Hash of alert_event_key, channel and attempted_at.",
            nullable=False,
        ),
        *REVISION,
        Column("as_of", "timestamp", "Night of the event.", nullable=False),
        Column("alert_event_key", "string", "The event of alert_events.", nullable=False),
        Column("channel", "string", "Name of the channel in alerts.yml.", nullable=False),
        Column(
            "channel_kind", "string", "slack, pagerduty, alertmanager or webhook.", nullable=False
        ),
        Column("attempted_at", "timestamp", "When it was tried.", nullable=False),
        Column(
            "delivery_status",
            "string",
            "delivered, failed (tried again by later runs), or unconfirmed (sent, no answer came; not tried again where that could tell twice).",
            nullable=False,
        ),
        Column("http_status_code", "int32", "Status of the answer; null without one."),
        Column("try_count", "int64", "Tries within the attempt.", nullable=False),
        Column("is_page", "bool", "Whether it asked somebody to come.", nullable=False),
        Column("reason", "string", "What happened; never an address or a secret.", nullable=False),
    ),
)

RECOMMENDED_ACTIONS = Table(
    name="recommended_actions",
    grain="one row per night, feature, environment, action and target",
    key=("recommended_action_key",),
    columns=(
        Column(
            "recommended_action_key",
            "string",
            "Hash of as_of, feature, environment, action and target.",
            nullable=False,
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        *SUBJECT,
        Column(
            "action",
            "string",
            "roll_back_prompt, route_away_from_model, check_route, contain_tenant, scale_serving, restore_cache, retrain or tighten_retrieval.",
            nullable=False,
        ),
        Column(
            "target",
            "string",
            "Prompt version, model, route or tenant; the feature where it is about all of it.",
            nullable=False,
        ),
        Column("alternative", "string", "What to go back to; null where nothing is known."),
        Column(
            "triggers", "json", "SLOs and questions that speak for it, by name.", nullable=False
        ),
        Column("reason", "string", "Why it is suspected, with numbers.", nullable=False),
        Column(
            "confidence_ratio",
            "float64",
            "What confidence_meaning says, 0 to 1; null where there is no such number.",
        ),
        Column(
            "confidence_meaning", "string", "What the confidence is the chance of.", nullable=False
        ),
        Column(
            "affected_call_count", "int64", "Calls of the target in the window.", nullable=False
        ),
        Column(
            "affected_traffic_ratio",
            "float64",
            "Share of the feature's calls in the window that are the target's; null without calls.",
        ),
        Column("affected_tenant_count", "int64", "Tenants with such calls.", nullable=False),
        Column(
            "affected_features",
            "json",
            "Features that the action would touch, with their calls.",
            nullable=False,
        ),
        Column("evidence", "json", "The numbers behind it.", nullable=False),
        Column("evidence_query", "string", "SQL that shows the calls behind it.", nullable=False),
    ),
)
