"""Tests that share what is expensive to make run in one process."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there is one process only")
def test_groups_of_tests_reach_the_scheduler(request: pytest.FixtureRequest) -> None:
    # xdist finds a group by the end of the node id. A pytest that it does not know keeps the id as it
    # was, without a word, and every process makes every demo.
    assert request.node.nodeid.endswith("@architecture/test_processes.py")
