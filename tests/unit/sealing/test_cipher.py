"""Encryption: what was sealed opens again with the same key and identity, and with no other."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.errors import BreakGlassError, ConfigError
from include.freezeline.sealing.cipher import KEY_BYTES, DayCipher, MasterKey, fingerprint

KEYS = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
TEXTS = st.dictionaries(st.text(max_size=20), st.text(st.characters(), max_size=200), max_size=5)
IDENTITIES = st.lists(st.text(max_size=40), min_size=1, max_size=6)
MASTER = MasterKey("m" * 32)


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(KEYS, TEXTS, IDENTITIES)
def test_what_is_sealed_opens_again_and_is_the_same_bytes_each_time(
    key: bytes, texts: dict[str, str], identity: list[str]
) -> None:
    sealed = DayCipher(key).seal(texts, identity)
    assert DayCipher(key).open(sealed, identity) == texts
    assert DayCipher(key).seal(texts, identity) == sealed


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(KEYS, KEYS, TEXTS, IDENTITIES, IDENTITIES)
def test_another_key_or_identity_opens_nothing(
    key: bytes, other: bytes, texts: dict[str, str], identity: list[str], elsewhere: list[str]
) -> None:
    sealed = DayCipher(key).seal(texts, identity)
    for opener, where in ((other, identity), (key, elsewhere)):
        if (opener, where) != (key, identity):
            with pytest.raises(BreakGlassError, match="cannot be opened"):
                DayCipher(opener).open(sealed, where)


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(KEYS, TEXTS, st.data())
def test_a_changed_byte_is_noticed(key: bytes, texts: dict[str, str], data: st.DataObject) -> None:
    sealed = bytearray(DayCipher(key).seal(texts, ["a"]))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BreakGlassError):
        DayCipher(key).open(bytes(sealed), ["a"])


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(KEYS, st.text(max_size=20), st.text(max_size=20))
def test_a_wrapped_key_opens_for_its_day_and_master_only(key: bytes, day: str, other: str) -> None:
    wrapped = MASTER.wrap(key, day)
    assert MASTER.unwrap(wrapped, day) == key
    with pytest.raises(BreakGlassError, match="cannot be unwrapped"):
        MasterKey("n" * 32).unwrap(wrapped, day)
    if day != other:
        with pytest.raises(BreakGlassError):
            MASTER.unwrap(wrapped, other)


def test_texts_are_not_in_the_sealed_bytes_and_keys_not_in_their_fingerprint() -> None:
    key = bytes(range(KEY_BYTES))
    assert b"jane@example.org" not in DayCipher(key).seal({"a": "jane@example.org"}, ["x"])
    assert fingerprint(key) != key.hex()[:16]


def test_short_master_keys_are_refused_without_repeating_them() -> None:
    with pytest.raises(ConfigError, match="7 characters, expected at least 32") as caught:
        MasterKey("hunter2")
    assert "hunter2" not in str(caught.value)
