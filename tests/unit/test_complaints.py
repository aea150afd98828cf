"""What a policy's errors say: the field, what was expected, what was found, what to write."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.errors import ConfigError


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    owner: str
    limit: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    n_of_one: Annotated[int, Field(le=1)] = 1


class _Policy(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: Literal[1] = 1
    kind: Literal["shift", "creep"] = "shift"
    n_days: Annotated[int, Field(ge=2, le=31)] = 3
    share: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 0.1
    price: Annotated[Decimal, Field(max_digits=9, decimal_places=2)] = Decimal("1")
    is_on: bool = True
    names: Annotated[tuple[str, ...], Field(min_length=1)] = ("a",)
    since: date = date(2026, 1, 1)
    inner: _Inner | None = None
    others: tuple[_Inner, ...] = ()


def _error(tmp_path: Path, text: str) -> str:
    path = tmp_path / "policy.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        parse_config(_Policy, path, load_yaml(path))
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_days: 1", "n_days: must be at least 2, got 1 (write 2 or more)"),
        ("n_days: 32", "n_days: must be at most 31, got 32 (write 31 or less)"),
        ("n_days: '3'", "n_days: must be a whole number, got '3' (write 3)"),
        ("n_days: '2.5'", "n_days: must be a whole number, got '2.5' (write a whole number, without quotes)"),
        ("n_days: '3.0'", "n_days: must be a whole number, got '3.0' (write 3)"),
        ("n_days: 3%", "n_days: must be a whole number, got '3%' (write a whole number, without quotes)"),
        ("n_days: '500'", "n_days: must be a whole number, got '500' (write a whole number, without quotes)"),
        ("n_days: 3.5", "n_days: must be a whole number, got 3.5 (write a whole number, without quotes)"),
        ("n_days: true", "n_days: must be a whole number, got true (write a whole number, without quotes)"),
        ("n_days:", "n_days: must be a whole number, got nothing (write a whole number, without quotes)"),
        ("share: 5", "share: must be at most 1, got 5 (write 0.05)"),
        ("share: 5%", "share: must be a number, got '5%' (write 0.05)"),
        ("share: 500%", "share: must be a number, got '500%' (write a number, without quotes)"),
        ("share: 1e-3", "share: must be a number, got '1e-3' (write 0.001)"),
        ("share: nan", "share: must be a number, got 'nan' (write a number, without quotes)"),
        ("share: .nan", "share: must be a finite number, got nan (write a number)"),
        ("share: -.inf", "share: must be a finite number, got -inf (write a number)"),
        ("inner: {owner: x, limit: .nan}", "inner.limit: must be a finite number, got nan (write a number)"),
        ("inner: {owner: x, limit: .inf}", "inner.limit: must be a finite number, got inf (write a number)"),
        ("inner: {owner: x, limit: -.inf}", "inner.limit: must be a finite number, got -inf (write a number)"),
        ("inner: {owner: x, n_of_one: 5}", "inner.n_of_one: must be at most 1, got 5 (write 1 or less)"),
        ("inner: {owner: x, limit: 0}", "inner.limit: must be above 0, got 0 (write more than 0)"),
        ("inner: {owner: x, limit: 5}", "inner.limit: must be below 1, got 5 (write 0.05)"),
        ("inner: {owner: x, limit: 500}", "inner.limit: must be below 1, got 500 (write less than 1)"),
        ("inner: {ownr: x}", "inner.ownr: unknown key (write owner)"),
        ("inner: {}", "inner.owner: required but missing (add it)"),
        ("inner: 3", "inner: must be keys with values, got 3 (write `key: value`, one a line)"),
        ("others: [{owner: x, limitt: 1}]", "others.0.limitt: unknown key (write limit)"),
        ("others: {}", "others: must be a list (write [one, another])"),
        ("sharre: 0.1", "sharre: unknown key (write share)"),
        ("zzz: 1", "zzz: unknown key (remove it or correct its spelling)"),
        ("kind: crep", "kind: must be 'shift' or 'creep', got 'crep' (write creep)"),
        ("kind: [shift]", "kind: must be 'shift' or 'creep' (write shift)"),
        ("kind: 3", "kind: must be 'shift' or 'creep', got 3 (write one of them)"),
        ("version: 2", "version: must be 1, got 2 (write 1)"),
        ("is_on: 'yes'", "is_on: must be true or false, got 'yes' (write true or false, without quotes)"),
        ("names: a", "names: must be a list, got 'a' (write [one, another])"),
        ("names: []", "names: must be at least 1 long (write more)"),
        ("names: [2]", "names.0: must be text, got 2 (put it in quotes)"),
        ("since: soon", "since: must be a date, got 'soon' (write it like 2026-01-31)"),
        ("price: much", "price: must be a number, got 'much' (write a number)"),
        ("price: 1.005", "price: must be a number of at most 2 decimal places, got 1.005 (round it)"),
        ("- 1", "(document): must be keys with values (write `key: value`, one a line)"),
        ("", "(document): must be keys with values, got nothing (write `key: value`, one a line)"),
    ],
)  # fmt: skip
def test_error_says_what_to_write(tmp_path: Path, text: str, message: str) -> None:
    assert _error(tmp_path, text) == message


@pytest.mark.parametrize(
    "text", ["since: 2026-02-03", "names: [x, y]", "share: 1", "price: 2.5", "price: '2.5'"]
)
def test_what_yaml_writes_plainly_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.yml"
    path.write_text(text, encoding="utf-8")
    assert parse_config(_Policy, path, load_yaml(path))


def test_a_value_that_holds_itself_is_refused(tmp_path: Path) -> None:
    assert "must hold plain keys" in _error(tmp_path, "names: &a [*a]")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(sorted(_Policy.model_fields)), _VALUES)
def test_any_value_is_read_or_refused_as_the_policy_is(name: str, value: Any) -> None:
    try:
        found = parse_config(_Policy, Path("p.yml"), {name: value})
    except ConfigError as error:
        text = str(error)
    else:
        text = f"p.yml: read {found.version}"
    assert text.startswith("p.yml: ")
