"""What tests of evaluating share."""

from collections.abc import Iterator

import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_warehouse
from include.freezeline.settings import Settings
from tests.unit.evaluators.worlds import make_tables


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """An open warehouse with empty marts."""
    with open_warehouse(settings.warehouse_path, read_only=False) as opened:
        opened.ensure_judgement_tables()
        make_tables(opened)
        yield opened
