"""Models by setting: tiny ones made here, since no real ones come along."""

from pathlib import Path

import pytest

from include.freezeline.adapters.text_models import (
    open_entailment,
    open_relevance,
    open_toxicity,
)
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "yes", "no", "never", "always"]


def make_model(folder: Path, labels: list[str]) -> str:
    """Write a random network of a few hundred weights with its tokeniser."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(1)
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, max_position_embeddings=16, initializer_range=1.0,
        id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


def test_nothing_is_loaded_when_nothing_is_set(settings: Settings) -> None:
    assert open_entailment(settings) is None
    assert open_relevance(settings) is None
    assert open_toxicity(settings) is None


@pytest.mark.slow
def test_models_score_from_0_to_1_whatever_their_labels(settings: Settings, tmp_path: Path) -> None:
    three = make_model(tmp_path / "nli", ["contradiction", "entailment", "neutral"])
    one = make_model(tmp_path / "reranker", ["LABEL_0"])
    two = make_model(tmp_path / "toxicity", ["neutral", "toxic"])
    given = {"entailment_model": three, "relevance_model": one, "toxicity_model": two}
    chosen = settings.model_copy(update=given)
    pairs = [("yes always", "no"), ("never", "yes no"), ("yes " * 40, "no")] * 7
    for open_model in (open_entailment, open_relevance):
        score = open_model(chosen)
        assert score is not None
        values = score(pairs)
        assert len(values) == len(pairs)
        assert all(0.0 < value < 1.0 for value in values)
        assert values[:3] == pytest.approx(values[3:6], abs=1e-6)
        assert values[0] != pytest.approx(values[1], abs=1e-6)
        assert score([]) == []
    rate = open_toxicity(chosen)
    assert rate is not None
    assert all(0.0 < value < 1.0 for value in rate(["yes", "never no"]))


@pytest.mark.slow
def test_model_without_the_label_is_refused(settings: Settings, tmp_path: Path) -> None:
    model = make_model(tmp_path / "m", ["sad", "glad", "mad"])
    with pytest.raises(ConfigError, match="one must be entailment"):
        open_entailment(settings.model_copy(update={"entailment_model": model}))
    with pytest.raises(ConfigError, match="one must begin with tox"):
        open_toxicity(settings.model_copy(update={"toxicity_model": model}))


@pytest.mark.slow
def test_model_that_is_not_there_is_refused_with_the_remedy(settings: Settings) -> None:
    given = {"entailment_model": "/nowhere/model", "toxicity_model": "/nowhere/model"}
    chosen = settings.model_copy(update=given)
    with pytest.raises(ConfigError, match="FREEZELINE_ENTAILMENT_MODEL: cannot load"):
        open_entailment(chosen)
    with pytest.raises(ConfigError, match="FREEZELINE_TOXICITY_MODEL: cannot load"):
        open_toxicity(chosen)
