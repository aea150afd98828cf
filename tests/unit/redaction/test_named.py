"""Names and addresses through a language model that a setting names."""

from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.language_models import load_tagger
from include.freezeline.errors import ConfigError
from include.freezeline.redaction.engine import Redactor
from include.freezeline.redaction.rules import load_redaction_config

_TEXT = "Ask Ada Lovelace (ada@example.org) in London, not Adam; Ada Lovelace knows."


@pytest.fixture(scope="module")
def spacy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real spaCy pipeline on disk whose names are a list instead of weights."""
    import spacy

    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "London"}]
    )
    folder = tmp_path_factory.mktemp("models") / "ruler"
    pipeline.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def with_names(spacy_folder: Path, config_dir: Path, redactor: Redactor) -> Redactor:
    tagger = load_tagger(str(spacy_folder))
    return Redactor(load_redaction_config(config_dir), redactor._scanner, tagger)


def test_names_stay_when_no_model_is_set(redactor: Redactor) -> None:
    assert load_tagger(None) is None
    assert "Ada Lovelace" in redactor.redact_text(_TEXT).text


def test_names_and_places_are_replaced_when_a_model_is_set(with_names: Redactor) -> None:
    redacted = with_names.redact_text(_TEXT)
    assert redacted.text == (
        "Ask <PERSON_1> (<EMAIL_1>) in <ADDRESS_1>, not Adam; <PERSON_1> knows."
    )
    first = redacted.findings[0]
    assert (first.type, _TEXT[first.start : first.end]) == ("PERSON", "Ada Lovelace")
    assert with_names.redact_text(redacted.text).text == redacted.text


def test_names_in_json_are_replaced_even_when_nothing_else_is_found(with_names: Redactor) -> None:
    assert with_names.redact_json('{"a": ["by Ada Lovelace"]}').text == '{"a":["by <PERSON_1>"]}'
    assert with_names.look(["by Ada Lovelace"], is_json=False).clean == set()


def test_name_is_found_when_it_lies_on_the_seam_of_two_pieces(spacy_folder: Path) -> None:
    tagger = load_tagger(str(spacy_folder))
    assert tagger is not None
    for before in (49_700, 49_995, 50_000, 99_402):
        text = "x " * (before // 2) + "Ada Lovelace"
        assert ("PERSON", len(text) - 12, len(text)) in list(tagger(text))


@pytest.mark.slow
def test_transformers_model_is_run_over_long_texts(tmp_path: Path) -> None:
    """Weights are drawn at random, so that the path is run, not the judgement."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ada", "lives", "in", "london", "."]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokeniser = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokeniser.pre_tokenizer = pre_tokenizers.Whitespace()
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokeniser, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(tmp_path)
    sizes: dict[str, Any] = {
        "vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32,
        "id2label": {0: "O", 1: "PER"}, "label2id": {"O": 0, "PER": 1},
    }  # fmt: skip
    torch.manual_seed(3)
    BertForTokenClassification(BertConfig(**sizes)).save_pretrained(tmp_path)
    tagger = load_tagger(str(tmp_path))
    assert tagger is not None
    text = "ada lives in london . " * 40
    found = list(tagger(text))
    assert found
    assert {label for label, _, _ in found} == {"PER"}
    assert all(0 <= start < end <= len(text) for _, start, end in found)
    assert max(end for _, _, end in found) > len(text) // 2  # beyond the model's 32 tokens


@pytest.mark.parametrize("model", ["no_such_model_anywhere", "/no/such/folder", "json"])
def test_config_error_says_what_to_do_when_the_model_cannot_be_loaded(model: str) -> None:
    with pytest.raises(ConfigError, match=r"FREEZELINE_REDACTION_NER: cannot load .*unset it"):
        load_tagger(model)
