"""Erasure covers the sealed store: found, deleted, left with a reason; nothing comes back."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.freezeline.erasure.receipt import HELD, Finding
from include.freezeline.erasure.subject import parse_subject
from include.freezeline.jobs.break_glass import read_originals
from include.freezeline.jobs.erase import apply_erasure, plan_erasure
from include.freezeline.jobs.expire_originals import expire_originals
from include.freezeline.jobs.land import land
from include.freezeline.settings import Settings
from tests.unit.sealing.company import AS_OF, ASKED, PLAIN, landed, request, sealed_rows

BEFORE = AS_OF + timedelta(hours=9)
HOLD = {"name": "case-1", "from_date": "2026-10-13", "to_date": "2026-10-13", "reason": "dispute"}


@pytest.fixture
def company(settings: Settings, tmp_path: Path) -> Settings:
    """Everything in scope is sealed, so that somebody else's is there too."""
    return landed(settings, tmp_path, only_where_replaced=False)


def hold(settings: Settings, *holds: dict[str, Any]) -> None:
    path = Path(str(settings.config_dir)) / "retention.yml"
    document = yaml.safe_load(path.read_text()) | {"legal_holds": list(holds)}
    path.write_text(yaml.safe_dump(document))


def erased(settings: Settings, user: str) -> dict[str, Finding]:
    """Erase a user; what the receipt says of each store."""
    subject = parse_subject(f"user:{user}", b"test-key")
    planned = plan_erasure(settings, subject, BEFORE)
    receipt = apply_erasure(settings, subject, planned.plan_id)
    assert {f.store: f.n_found for f in planned.findings} == {
        f.store: f.n_deleted for f in receipt.stores
    }
    return {finding.store: finding for finding in receipt.stores}


def traces(settings: Settings) -> set[str]:
    return {row["trace_id"] for row in sealed_rows(settings)}


def test_originals_of_a_person_go_and_do_not_come_back(company: Settings) -> None:
    n_theirs = sum(row["trace_id"] == ASKED.trace_id for row in sealed_rows(company))
    assert n_theirs
    found = erased(company, str(ASKED.user))
    assert (found["lake/sealed"].n_deleted, found["lake/sealed"].n_left) == (n_theirs, 0)
    assert ASKED.trace_id not in traces(company)
    assert PLAIN.trace_id in traces(company)
    assert read_originals(company, request()).originals == ()
    shutil.rmtree(company.lake_dir)
    land(company, AS_OF, is_full=True)
    assert ASKED.trace_id not in traces(company)
    assert PLAIN.trace_id in traces(company)


def test_a_legal_hold_leaves_originals_with_its_reason(company: Settings) -> None:
    hold(company, HOLD)
    found = erased(company, str(ASKED.user))
    left = found["lake/sealed"]
    assert (left.n_deleted, left.reason) == (0, HELD)
    assert left.n_left == sum(row["trace_id"] == ASKED.trace_id for row in sealed_rows(company))
    assert ASKED.trace_id in traces(company)


def test_originals_that_a_hold_moved_to_the_archive_are_found_there(company: Settings) -> None:
    hold(company, HOLD)
    expire_originals(company, AS_OF + timedelta(days=8))
    assert sealed_rows(company) == []
    hold(company)
    found = erased(company, str(ASKED.user))
    assert found["cold/sealed"].n_deleted > 0
    assert read_originals(company, request()).originals == ()
    assert read_originals(company, request(PLAIN.trace_id)).originals
