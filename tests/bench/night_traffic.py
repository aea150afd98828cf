"""A bucket with weeks of traffic and one great night, cheap to make: objects in many copies.

Some hundred megabytes of ``otlp_traffic`` are made once, with shorter texts, errors and models
that have prices. Every object of the bucket is one of them with ids and times of its own, packed
with zstd. So texts repeat, ids do not, and the calls of a day are spread over its hours. Business
facts name requests of the traffic. The same seed gives the same bytes.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

import zstandard

from tests.bench.otlp_traffic import Json, TrafficMaker

OBJECT_BYTES = 4_000_000
MAX_TEMPLATES = 120
DOCUMENT_CHARS, SYSTEM_CHARS = 300, 1_500
ERROR_SHARE = 0.002
FACT_SHARES = {"escalations": 0.03, "overrides": 0.02, "conversions": 0.05}
TIERS = ("free", "team", "enterprise")
N_TENANTS, N_USERS = 300, 50_000  # as in otlp_traffic
_COPY = b"5ca1ab1e"  # stands where a copy writes its own eight hex digits
_STEP_S = 1_000  # times of a template share all digits of the second but the last three
_TEMPLATE_STEP = b'"1791885'
_STEPS_A_DAY = 85
_IDS = re.compile(rb'("traceId":"|"req_|"conv-|"chatcmpl-|call_)[0-9a-f]{8}')
_REQUESTS = re.compile(rb'(req_[0-9a-f]{20})"}},{"key":"app.prompt.name"')
_PRICED = (
    (b"claude-sonnet-4-5-2026-04-14", b"gpt-4o-mini-2024-07-18"),
    (b"gemini-2.5-pro-2026-04-14", b"o4-mini-2025-04-16"),
    (b"-2026-04-14", b"-2025-04-14"),
    (b"claude-sonnet-4-5", b"gpt-4o-mini"),
    (b"gemini-2.5-pro", b"o4-mini"),
)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Template:
    """An object of which copies are made.

    Attributes:
        path: Where it lies, unpacked.
        request_ids: Requests of its calls, with the copy's digits left open.
    """

    path: Path
    request_ids: tuple[str, ...]

    @property
    def n_calls(self) -> int:
        """Return how many model calls it holds."""
        return len(self.request_ids)


@dataclass(frozen=True, slots=True)
class Copy:
    """One object of the bucket: which template, whose ids, and when."""

    template: Template
    digits: str
    step: int
    path: Path


class _NightTraffic(TrafficMaker):
    """Agents as in ``otlp_traffic``; prompts are shorter, and some calls fail."""

    def __init__(self, rng: Random) -> None:
        """Shorten what prompts are made of."""
        super().__init__(rng)
        self._documents = [text[:DOCUMENT_CHARS] for text in self._documents]
        self._system = [text[:SYSTEM_CHARS] for text in self._system]

    def _chat(
        self, trace_id: str, parent: str, at: int, number: int, history: list[Json], parts: list[Json]
    ) -> Json:  # fmt: skip
        span = super()._chat(trace_id, parent, at, number, history, parts)
        if self.rng.random() < ERROR_SHARE:
            failure = {"key": "error.type", "value": {"stringValue": "RateLimitError"}}
            span |= {"status": {"code": 2}, "attributes": [*span["attributes"], failure]}
        return span


def make_templates(folder: Path, n_calls: int, seed: int) -> list[Template]:
    """Write objects until they hold that many calls, or there are enough to copy."""
    maker = _NightTraffic(Random(seed))  # noqa: S311 - benches want repeatable data
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Template] = []
    while sum(template.n_calls for template in made) < n_calls and len(made) < MAX_TEMPLATES:
        lines: list[bytes] = []
        while sum(map(len, lines)) < OBJECT_BYTES:
            lines.append(maker.line())
        data = _IDS.sub(rb"\g<1>" + _COPY, b"\n".join(lines) + b"\n")
        for old, new in _PRICED:
            data = data.replace(old, new)
        path = folder / f"template_{len(made):03}.json"
        path.write_bytes(data)
        made.append(Template(path, tuple(found.decode() for found in _REQUESTS.findall(data))))
    return made


def write_bucket(
    bucket: Path, templates: Sequence[Template], days: Iterable[tuple[date, int]], tell: Progress
) -> int:
    """Write objects and facts of some days; return how many calls they hold.

    Args:
        bucket: Its folder.
        templates: What to copy.
        days: Days with how many calls each is to have at least.
        tell: Told what has been written.
    """
    copies = [copy for day, n_calls in days for copy in _plan_day(bucket, templates, day, n_calls)]
    with ProcessPoolExecutor() as pool:
        n_bytes = sum(pool.map(_write_copy, copies, chunksize=8))
    for kind, share in FACT_SHARES.items():
        _write_facts(bucket, kind, share, copies)
    n_calls = sum(copy.template.n_calls for copy in copies)
    tell(f"bucket: {len(copies):,} objects, {n_calls:,} calls, {n_bytes / 1e6:,.0f} MB of JSON")
    return n_calls


def write_segments(bucket: Path, day: date) -> None:
    """Write the tenants' tiers and the users' experiment buckets, recorded on a day."""
    at = f"{day}T00:00:00Z"
    tiers = (f"tenant-{n},{TIERS[n % 3]},{at},{at}" for n in range(N_TENANTS))
    _write_csv(bucket, "subscription_tiers", day, "tenant_id,tier,valid_from_at,recorded_at", tiers)
    users = (f"user-{n},greeting,{'ab'[n % 2]},{at},{at}" for n in range(0, N_USERS, 2))
    header = "user_id,experiment_name,bucket_name,assigned_at,recorded_at"
    _write_csv(bucket, "experiment_buckets", day, header, users)


def _plan_day(
    bucket: Path, templates: Sequence[Template], day: date, n_calls: int
) -> Iterator[Copy]:
    """Choose the objects of a day; each keeps to a quarter of an hour of it."""
    midnight_s = int(datetime.combine(day, time(), UTC).timestamp())
    number = 0
    while n_calls > 0:
        # Days begin at different templates, or a small day would always be the same texts.
        template = templates[(number + day.toordinal()) % len(templates)]
        digits = hashlib.sha256(f"{day}/{number}".encode()).hexdigest()[:8]
        step = -(-midnight_s // _STEP_S) + number * 7 % _STEPS_A_DAY
        hour = datetime.fromtimestamp((step + 1) * _STEP_S, UTC)
        folder = f"otel/year={day:%Y}/month={day:%m}/day={day:%d}/hour={hour:%H}/minute={hour:%M}"
        yield Copy(template, digits, step, bucket / folder / f"traces_{digits}.json.zst")
        n_calls -= template.n_calls
        number += 1


def _write_copy(copy: Copy) -> int:
    """Write one object; return its size before packing."""
    data = copy.template.path.read_bytes().replace(_COPY, copy.digits.encode())
    data = data.replace(_TEMPLATE_STEP, b'"%d' % copy.step)
    copy.path.parent.mkdir(parents=True, exist_ok=True)
    copy.path.write_bytes(zstandard.compress(data, 1))
    return len(data)


def _write_facts(bucket: Path, kind: str, share: float, copies: Sequence[Copy]) -> None:
    """Let some requests of every day have an outcome at the end of it."""
    by_day: dict[date, list[str]] = {}
    for copy in copies:
        day = datetime.fromtimestamp(copy.step * _STEP_S, UTC).date()
        named = (each.replace(_COPY.decode(), copy.digits) for each in copy.template.request_ids)
        by_day.setdefault(day, []).extend(named)
    word = {"escalations": "escalated_at", "overrides": "overridden_at", "conversions": "converted_at"}[kind]  # fmt: skip
    last = {"escalations": "reason_code", "overrides": "override_type", "conversions": "value_usd"}[kind]  # fmt: skip
    for day, requests in by_day.items():
        rng = Random(f"{kind}/{day}")  # noqa: S311 - benches want repeatable data
        chosen = sorted(rng.sample(requests, round(share * len(requests))))
        at = f"{day}T23:58:00Z,{day}T23:59:00Z"
        rows = (f"{each},{at},{rng.randint(1, 900)}" for each in chosen)
        _write_csv(bucket, kind, day, f"request_id,{word},recorded_at,{last}", rows)


def _write_csv(bucket: Path, kind: str, day: date, header: str, rows: Iterable[str]) -> None:
    """Write one object of a business fact."""
    folder = bucket / "facts" / kind / f"dt={day}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{kind}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def days_before(day: date, n_days: int, n_calls: int) -> list[tuple[date, int]]:
    """Return the days before a day, each with so many calls."""
    return [(day - timedelta(days=back), n_calls) for back in range(n_days, 0, -1)]
