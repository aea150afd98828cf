"""Who is meant."""

import hashlib
import json

import duckdb
import pytest

from include.freezeline.erasure.quotes import Quotes
from include.freezeline.erasure.subject import Digester, Subject, parse_subject, parse_subject_key
from include.freezeline.errors import ErasureError
from include.freezeline.redaction.pseudonyms import Pseudonymiser

KEY = b"test-key"


@pytest.mark.parametrize("kind", ["user", "session", "tenant"])
def test_raw_ids_become_the_pseudonyms_of_landing(kind: str) -> None:
    subject = parse_subject(f"{kind}:a:b@example.com", KEY)
    assert subject == Subject(kind, Pseudonymiser(KEY).pseudonym(kind, "a:b@example.com"))  # type: ignore[arg-type]
    assert subject.column == f"{kind}_key"
    assert "example.com" not in repr(subject)


def test_pseudonym_keys_are_taken_as_they_are() -> None:
    key = "t_" + "0a" * 16
    assert parse_subject(key, KEY) == parse_subject_key(key) == Subject("tenant", key)


@pytest.mark.parametrize("text", ["jane@example.com", "jane", "person:jane", "user:", "u_12", ""])
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ErasureError, match="write user:ID, session:ID or tenant:ID") as caught:
        parse_subject(text, KEY)
    assert "jane" not in str(caught.value)
    with pytest.raises(ErasureError, match="raw ids do not belong") as caught:
        parse_subject_key(text)
    assert "jane" not in str(caught.value)


def test_digests_differ_by_key_kind_and_value_and_sql_makes_the_same() -> None:
    digester = Digester(KEY)
    made = {
        digester.digest("trace_id", "a"),
        digester.digest("request_id", "a"),
        digester.digest("trace_id", "b"),
        Digester(b"other").digest("trace_id", "a"),
    }
    assert len(made) == 4
    prefix = digester.sql_prefix("trace_id")
    found = duckdb.execute("select left(sha256(? || ?), 32)", [prefix, "ä"]).fetchone()
    assert found == (digester.digest("trace_id", "ä"),)
    assert hashlib.sha256(KEY).hexdigest() not in prefix


def test_control_characters_are_no_part_of_a_raw_id_as_they_are_none_when_landing() -> None:
    subject = parse_subject("user:jane\x00\x1b-4711", KEY)
    assert subject == parse_subject("user:jane-4711", KEY)
    assert subject.raw_id == "jane-4711"
    with pytest.raises(ErasureError, match="not a subject"):
        parse_subject("user:\x00", KEY)


@pytest.mark.parametrize("raw_id", ['o"neil-77', "böll\\4711", "jane van doe", "jane.doe@corp"])
def test_raw_ids_with_odd_characters_are_found_in_texts_and_in_json(raw_id: str) -> None:
    quotes = Quotes((), (), raw_id)
    written = (raw_id, json.dumps({"id": raw_id}), json.dumps([raw_id], ensure_ascii=False))
    replaced = [quotes.replace(text) for text in written]
    assert replaced == ["erased", '{"id": "erased"}', '["erased"]']


def test_an_id_that_begins_with_another_goes_whole() -> None:
    assert Quotes(["a/bc", "a/bcd"], ()).replace("x a/bcd y") == "x erased y"
