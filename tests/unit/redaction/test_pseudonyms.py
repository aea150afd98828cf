"""Pseudonyms: deterministic, keyed, apart by kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.redaction.pseudonyms import Pseudonymiser


@given(st.text(), st.sampled_from(["tenant", "user", "session"]))
def test_pseudonym_is_stable_and_prefixed_by_kind(value: str, kind: str) -> None:
    first = Pseudonymiser(b"key").pseudonym(kind, value)
    assert first == Pseudonymiser(b"key").pseudonym(kind, value)
    assert first.startswith(f"{kind[0]}_")
    assert len(first) == 34


def test_pseudonym_differs_when_key_kind_or_value_differs() -> None:
    maker = Pseudonymiser(b"key")
    different = {
        maker.pseudonym("user", "a"),
        maker.pseudonym("user", "b"),
        maker.pseudonym("tenant", "a"),
        Pseudonymiser(b"other").pseudonym("user", "a"),
    }
    assert len(different) == 4


def test_pseudonymiser_refuses_an_empty_key() -> None:
    with pytest.raises(ValueError, match="FREEZELINE_PSEUDONYM_KEY"):
        Pseudonymiser(b"")


def test_pseudonym_refuses_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="tenant, user, session"):
        Pseudonymiser(b"key").pseudonym("device", "a")
