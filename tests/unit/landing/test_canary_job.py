"""Every run sends canaries through redaction first, keeps the result, and stops when it fails."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.errors import RedactionError
from include.freezeline.jobs.canaries import check_canaries
from include.freezeline.redaction.made_up import MAKERS
from include.freezeline.settings import Settings

NIGHT = datetime(2026, 10, 2, tzinfo=UTC)


@pytest.fixture
def landing(settings: Settings) -> Settings:
    """Settings with a bucket and a key."""
    changes = {"source_uri": settings.home.as_uri(), "pseudonym_key": "k"}
    return Settings.model_validate({**settings.model_dump(), **changes})


def test_canaries_are_all_found_and_kept_by_night(landing: Settings) -> None:
    books = LakeBooks(Lake(landing.lake_dir))
    check_canaries(landing, books, {NIGHT, NIGHT - timedelta(days=1)})
    rows = books.canaries()
    assert [row["entity_type"] for row in rows] == 2 * sorted(MAKERS)
    assert {row["recall_ratio"] for row in rows} == {1.0}
    assert {row["planted_count"] for row in rows} == {10}
    check_canaries(landing, books, {NIGHT})
    assert books.canaries() == rows


def test_nothing_is_landed_while_redaction_is_broken(
    landing: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_all(_guard: object, *_args: Any) -> None:
        return

    monkeypatch.setattr("include.freezeline.landing.texts.TextGuard.guard", leave_all)
    books = LakeBooks(Lake(landing.lake_dir))
    with pytest.raises(RedactionError, match=r"API_KEY: \d+ of 10 planted values came out again"):
        check_canaries(landing, books, {NIGHT})
    assert min(row["recall_ratio"] for row in books.canaries()) < 0.9
