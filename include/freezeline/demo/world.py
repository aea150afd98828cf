"""Who calls what in the demo: features, models, tenants, prompt versions and the calendar."""

from dataclasses import dataclass
from datetime import date, timedelta

WORLD_VERSION = 2
"""Raise it when the same seed no longer gives the same bytes."""

FIRST_DATE = date(2026, 9, 1)
LAST_DATE = date(2026, 10, 13)
DATES: tuple[date, ...] = tuple(
    FIRST_DATE + timedelta(days=day) for day in range((LAST_DATE - FIRST_DATE).days + 1)
)

WEEKDAY_FACTORS = (1.12, 1.2, 1.2, 1.16, 1.06, 0.66, 0.6)
"""Traffic by weekday, Monday first."""

HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 4, 7, 11, 13, 13, 12, 10, 12, 13, 12, 11, 9, 7, 6, 5, 4, 3, 2)
"""Traffic by hour of the UTC day."""


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as the features use it.

    Attributes:
        name: Name asked for.
        response_name: Name the provider says answered.
        provider: GenAI provider name.
        fingerprint: Serving fingerprint; empty where the provider has none.
        ttft_ms: Median time to the first token.
        tpot_ms: Median time per output token.
        input_factor: Its tokens per token of the feature's typical prompt.
    """

    name: str
    response_name: str
    provider: str
    fingerprint: str
    ttft_ms: float
    tpot_ms: float
    input_factor: float


GPT_MINI = ModelSpec(
    "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "openai", "fp_7a53abb7a2", 330.0, 18.0, 1.0
)
GPT = ModelSpec("gpt-4.1", "gpt-4.1-2025-04-14", "openai", "fp_b3f1157249", 360.0, 22.0, 1.0)
HAIKU = ModelSpec(
    "claude-haiku-4-5", "claude-haiku-4-5-20251001", "anthropic", "", 340.0, 19.0, 1.12
)
SONNET = ModelSpec(
    "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic", "", 370.0, 24.0, 1.12
)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A prompt version on its way to the users.

    Attributes:
        version: Version label.
        start_date: First day with traffic.
        shares: Share of the traffic on each day from the start; the last one stays.
    """

    version: str
    start_date: date
    shares: tuple[float, ...]

    def share_on(self, day: date) -> float:
        """Return the version's share of the traffic on a day."""
        age = (day - self.start_date).days
        return 0.0 if age < 0 else self.shares[min(age, len(self.shares) - 1)]


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One product feature and its normal behaviour.

    Attributes:
        name: Feature, also the service name of its telemetry.
        number: Fixed number that its random streams are drawn with.
        n_calls: Organic calls in the whole history at scale 1.
        models: Models with their share of the traffic.
        routes: Routes with their share of the traffic.
        prompt_name: Name of its prompt template.
        rollouts: Prompt versions, oldest first; the first has all traffic to begin with.
        input_tokens_median: Typical prompt length.
        input_tokens_spread: Standard deviation of its logarithm.
        tokens_per_word: Output tokens per word of the answer.
        is_stream: Whether answers are streamed.
        has_retrieval: Whether a retrieval precedes the model call.
        staging_ratio: Share of traffic from the staging environment.
        n_canaries: Fixed probe prompts asked of each model once a day.
        escalation_ratio: Share of requests that end at a person.
        override_ratio: Share of answers a person overrides.
        conversion_ratio: Share of requests that convert.
    """

    name: str
    number: int
    n_calls: int
    models: tuple[tuple[ModelSpec, float], ...]
    routes: tuple[tuple[str, float], ...]
    prompt_name: str
    rollouts: tuple[Rollout, ...]
    input_tokens_median: float
    input_tokens_spread: float
    tokens_per_word: float
    is_stream: bool = False
    has_retrieval: bool = False
    staging_ratio: float = 0.0
    n_canaries: int = 12
    escalation_ratio: float = 0.0
    override_ratio: float = 0.0
    conversion_ratio: float = 0.0


SUPPORT = FeatureSpec(
    name="support-assistant",
    number=1,
    n_calls=26_000,
    models=((GPT_MINI, 0.6), (HAIKU, 0.4)),
    routes=(("/v1/support/chat", 0.7), ("/v1/support/email-draft", 0.3)),
    prompt_name="support-answer",
    rollouts=(
        Rollout("v6", FIRST_DATE, (1.0,)),
        Rollout("v7", date(2026, 9, 10), (0.1, 0.3, 0.6, 1.0)),
        Rollout("v8", date(2026, 10, 5), (0.15, 0.35, 0.6)),
    ),
    input_tokens_median=1450.0,
    input_tokens_spread=0.18,
    tokens_per_word=1.45,
    has_retrieval=True,
    escalation_ratio=0.02,
    conversion_ratio=0.2,
)

RISK = FeatureSpec(
    name="risk-summariser",
    number=2,
    n_calls=14_500,
    models=((SONNET, 0.55), (GPT, 0.45)),
    routes=(("/v1/risk/summary", 0.8), ("/v1/risk/comparison", 0.2)),
    prompt_name="risk-summary",
    rollouts=(
        Rollout("v3", FIRST_DATE, (1.0,)),
        Rollout("v4", date(2026, 9, 14), (0.2, 0.5, 1.0)),
    ),
    input_tokens_median=2600.0,
    input_tokens_spread=0.2,
    tokens_per_word=1.6,
    override_ratio=0.03,
)

CODE = FeatureSpec(
    name="code-helper",
    number=3,
    n_calls=14_500,
    models=((GPT_MINI, 0.36), (SONNET, 0.34), (GPT, 0.3)),
    routes=(("/v1/code/complete", 0.5), ("/v1/code/explain", 0.3), ("/v1/code/review", 0.2)),
    prompt_name="code-answer",
    rollouts=(
        Rollout("v11", FIRST_DATE, (1.0,)),
        Rollout("v12", date(2026, 9, 16), (0.1, 0.25, 0.5, 1.0)),
    ),
    input_tokens_median=900.0,
    input_tokens_spread=0.25,
    tokens_per_word=2.2,
    is_stream=True,
    staging_ratio=0.01,
    n_canaries=24,
    override_ratio=0.005,
)

FEATURES: tuple[FeatureSpec, ...] = (SUPPORT, RISK, CODE)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A fictional customer company."""

    tenant_id: str
    tier: str
    share: float
    locale: str


TENANTS: tuple[Tenant, ...] = (
    Tenant("northwind-logistics", "enterprise", 0.22, "en-US"),
    Tenant("bluefin-retail", "enterprise", 0.18, "en-GB"),
    Tenant("harbour-insurance", "business", 0.15, "de-DE"),
    Tenant("alder-health", "business", 0.13, "en-US"),
    Tenant("quarry-systems", "business", 0.11, "fr-FR"),
    Tenant("tidewater-energy", "starter", 0.09, "es-ES"),
    Tenant("maple-academy", "starter", 0.07, "en-US"),
    Tenant("lantern-media", "starter", 0.05, "ja-JP"),
)

USERS_PER_TENANT = 60


def user_name(tenant_number: int, user_number: int) -> str:
    """Return the raw user id of a tenant's user."""
    return f"u-{tenant_number + 1}{user_number:04d}"


def expected_calls(feature: FeatureSpec, day: date, scale: float) -> float:
    """Return the mean number of organic calls on a day."""
    total = sum(WEEKDAY_FACTORS[other.weekday()] for other in DATES)
    return feature.n_calls * scale * WEEKDAY_FACTORS[day.weekday()] / total
