"""Fixtures every test may use."""

import os
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from include.freezeline.settings import Settings

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("untimed", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")

# One S3 server per session, however many files use it.
pytest_plugins = ("tests.integration.rgw",)

# Fast tests first: a typing mistake should not cost a whole demo.
_ORDER = ("unit", "architecture", "dags", "dbt", "integration", "browser")


# What a session makes once; tests that share it run in one process, the longest first.
_SHARED = ("quiet_night", "small_night", "night", "rgw")
# A hanging test ends; four times what the longest takes on a usual machine of two cores.
_LONG_TIMEOUT_S = 3600


# First, because xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the suites from fast to slow; a suite that is not listed comes last.

    With several processes a file, or what shares an expensive fixture, stays in one of them.
    What looks at the demo of a quiet world is long, as that demo serves nothing else.
    """
    rank = {name: number for number, name in enumerate(_ORDER)}
    root = Path(__file__).parent

    def place(item: pytest.Item) -> tuple[int, int]:
        suite = rank.get(item.path.relative_to(root).parts[0], len(rank))
        return suite, _SHARED.index(shared) if (shared := _shared_by(item)) else len(_SHARED)

    items.sort(key=place)
    for item in items:
        group = _shared_by(item) or str(item.path.relative_to(root))
        item.add_marker(pytest.mark.xdist_group(group))
        if group == "quiet_night":
            item.add_marker(pytest.mark.long)
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(_LONG_TIMEOUT_S))


def _shared_by(item: pytest.Item) -> str | None:
    """Return the expensive fixture that a test uses, if any."""
    names = getattr(item, "fixturenames", ())
    return next((shared for shared in _SHARED if shared in names), None)


@pytest.fixture
def as_of() -> datetime:
    """A fixed end of knowledge."""
    return datetime(2026, 10, 14, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose home and bucket are throw-away folders."""
    return Settings.model_validate(
        {
            "home": tmp_path / "home",
            "source_uri": (tmp_path / "bucket").as_uri(),
            "pseudonym_key": "test-key",
        }
    )


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of worked cases and real data beside the checkout.

    A user's clone lacks it, so tests that need it are skipped there; in CI its absence is a
    failure, or the checks against real data would silently stop.
    """
    folder = Path(__file__).resolve().parents[2] / "shared"
    if folder.is_dir():
        return folder
    if os.environ.get("CI") == "true":
        pytest.fail(f"{folder}: missing in CI; the checks against real data must run")
    pytest.skip(f"{folder}: not beside this checkout (worked cases are not part of the product)")
