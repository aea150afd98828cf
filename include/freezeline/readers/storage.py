"""Whether a record's texts may be stored: its class of data, its consent, and the rules for both.

A source says it with attributes, or a rule of ``config/landing.yml`` says it for a feature, a
service or an environment. Texts that may not be stored are dropped here, before redaction and
before anything is written; their lengths stay, so that length and cost can still be judged.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from include.freezeline.contracts.columns import Privacy
from include.freezeline.contracts.lake import TELEMETRY_TABLES
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.names import ByNames, Names, names_among

Consent = Literal["granted", "denied", "unknown"]
_Name = Annotated[str, Field(min_length=1, max_length=300)]
# Technical texts: without them a withheld span could not be told from any other.
_KEPT = frozenset({"span_name", "resource_attributes_redacted"})
_TEXT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    table.name: tuple(
        column.name
        for column in table.columns
        if column.privacy is Privacy.TEXT and column.name not in _KEPT
    )
    for table in TELEMETRY_TABLES
}


# Every ASCII character as a blank or as part of a word.
_WORD_MARKS = bytes(b" w"[not chr(code).isspace()] for code in range(256))


class StorageRule(BaseModel):
    """What holds for records of a feature, service or environment.

    Attributes:
        feature: Features it holds for; all when empty.
        service_name: Services it holds for; all when empty.
        environment: Environments it holds for; all when empty.
        data_class: Class of data, unless the record names one itself.
        consent: Consent, unless the record states one itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: tuple[_Name, ...] = ()
    service_name: tuple[_Name, ...] = ()
    environment: tuple[_Name, ...] = ()
    data_class: _Name | None = None
    consent: Literal["granted", "denied"] | None = None

    def holds_for(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row's feature, service and environment are those of the rule."""
        return all(
            not wanted or row.get(name) in wanted
            for name, wanted in (
                ("feature", self.feature),
                ("service_name", self.service_name),
                ("environment", self.environment),
            )
        )


_NO_RULE = StorageRule()


class StorageRules(BaseModel):
    """The section ``storage`` of ``config/landing.yml``.

    Attributes:
        data_class: Attributes that name the class of data, on the record or its resource.
        consent: Attributes that state consent, on the record or its resource.
        granted: Values of them that mean yes, in any case.
        denied: Values of them that mean no, in any case.
        rules: What holds where the record says nothing; the first rule that fits wins.
        store_text_when_unknown: Whether texts are stored when nobody said anything.
        never_store_text_of: Classes of data whose texts are never stored, whatever the consent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_class: tuple[_Name, ...] = ()
    consent: tuple[_Name, ...] = ()
    granted: tuple[_Name, ...] = ("true", "granted", "yes", "1", "opt_in", "opt-in")
    denied: tuple[_Name, ...] = ("false", "denied", "no", "0", "opt_out", "opt-out", "revoked")
    rules: tuple[StorageRule, ...] = ()
    store_text_when_unknown: bool = True
    never_store_text_of: tuple[_Name, ...] = ()

    @cached_property
    def named(self) -> ByNames[Names]:
        """Which of a set of attributes name a class of data or state consent."""
        return names_among((*self.data_class, *self.consent))


class Storage(NamedTuple):
    """What may become of a record's texts.

    Attributes:
        data_class: Class of data; None when nobody named one.
        consent: granted, denied or unknown.
        may_store_text: Whether texts may be stored.
    """

    data_class: str | None
    consent: Consent
    may_store_text: bool

    def settle(self, row: dict[str, Any], tables: Mapping[str, Iterable[dict[str, Any]]]) -> None:
        """Note it in a span's row, and drop the texts of all its rows where they may not be stored.

        Args:
            row: The span's row.
            tables: That row and those that hang on it, by table.
        """
        row["data_class"], row["consent"] = self.data_class, self.consent
        if not self.may_store_text:
            row["is_text_withheld"] = withhold_texts(tables)


def storage_of(
    view: AttributeView, resource: AttributeView, row: Mapping[str, Any], rules: StorageRules
) -> Storage:
    """Return what may become of a record's texts.

    A consent that says neither yes nor no counts as denied: somebody meant something by it.

    Args:
        view: The record's attributes.
        resource: Its resource's attributes.
        row: Its feature, service_name and environment, as far as they are known.
        rules: The section ``storage``.
    """
    rule = next((rule for rule in rules.rules if rule.holds_for(row)), _NO_RULE)
    stated, data_class = None, rule.data_class
    if rules.named[view.names] or rules.named[resource.names]:
        stated = _first_text(view, resource, rules.consent)
        data_class = _first_text(view, resource, rules.data_class) or data_class
    consent: Consent = rule.consent or "unknown"
    if stated is not None:
        consent = "granted" if stated.casefold() in rules.granted else "denied"
    may_store = consent == "granted" or (consent == "unknown" and rules.store_text_when_unknown)
    return Storage(data_class, consent, may_store and data_class not in rules.never_store_text_of)


def measure_texts(row: dict[str, Any]) -> None:
    """Fill the length columns of a span row from its raw texts."""
    asked, answered = row.get("input_text_redacted"), row.get("output_text_redacted")
    row["input_text_chars"] = None if asked is None else len(asked)
    row["output_text_chars"] = None if answered is None else len(answered)
    row["output_text_words"] = None if answered is None else _n_words(answered)


def _n_words(text: str) -> int:
    """Return how many words ``str.split`` finds, without making them."""
    if not text.isascii():
        return len(text.split())
    marks = text.encode().translate(_WORD_MARKS)
    return marks.count(b" w") + marks.startswith(b"w")


def withhold_texts(tables: Mapping[str, Iterable[dict[str, Any]]]) -> bool:
    """Drop every text of rows in place; return whether there was any.

    Args:
        tables: Rows by table of ``contracts.lake.TELEMETRY_TABLES``.
    """
    any_text = False
    for name, rows in tables.items():
        for row in rows:
            for column in _TEXT_COLUMNS[name]:
                any_text = any_text or row.get(column) is not None
                row[column] = None
    return any_text


def _first_text(view: AttributeView, resource: AttributeView, names: tuple[str, ...]) -> str | None:
    """Return the first name's text that record or resource carries."""
    return (view.text(*names) or resource.text(*names)) if names else None
