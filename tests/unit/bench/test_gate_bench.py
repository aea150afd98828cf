"""The bench of the gate's start runs and prints its tables."""

import pytest

from tests.bench.bench_gate import main


def test_bench_prints_medians_and_imports(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick"])
    said = capsys.readouterr().out
    for wanted in (
        "bare interpreter",
        "product's command",
        "gate in one file",
        "within 300 ms",
        "cryptography",
    ):
        assert wanted in said
