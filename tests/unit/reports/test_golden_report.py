"""The whole report of the sample night, as golden files.

After a wanted change write them again with
``python -m tests.unit.reports.test_golden_report`` and read the difference.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.freezeline.reports.freeze_report import build_report
from include.freezeline.reports.render import render_html, render_markdown
from include.freezeline.reports.render_json import render_json
from tests.unit.reports.sample_night import memory_warehouse, write_night

_GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "reports"
_AS_OF = datetime(2026, 10, 14, tzinfo=UTC)


def _render() -> dict[str, str]:
    """Render the sample night in every view."""
    with memory_warehouse() as warehouse:
        write_night(warehouse, _AS_OF)
        report = build_report(warehouse, _AS_OF)
    return {
        "frozen_night.json": render_json(report),
        "frozen_night.md": render_markdown(report),
        "frozen_night.html": render_html(report),
    }


@pytest.mark.parametrize("name", ["frozen_night.json", "frozen_night.md", "frozen_night.html"])
def test_report_is_the_golden_file_when_the_sample_night_is_rendered(name: str) -> None:
    assert _render()[name] == (_GOLDEN / name).read_text(encoding="utf-8")


def test_report_has_the_same_bytes_when_rendered_in_another_process_and_time_zone() -> None:
    code = (
        "import hashlib; from tests.unit.reports.test_golden_report import _render; "
        "print(hashlib.sha256(''.join(_render().values()).encode()).hexdigest())"
    )
    prints = {
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            env={**os.environ, "TZ": zone, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).resolve().parents[3],
            check=True,
            capture_output=True,
        ).stdout
        for zone, seed in (("UTC", "1"), ("Pacific/Auckland", "2"))
    }
    assert len(prints) == 1
    assert len(prints.pop().strip()) == 64


def _main() -> None:
    """Write the golden files again."""
    _GOLDEN.mkdir(parents=True, exist_ok=True)
    for name, text in _render().items():
        (_GOLDEN / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main()
