"""The evaluators of a policy, set up with what the outside world gives them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from include.freezeline.evaluators.composite import NAME as COMPOSITE
from include.freezeline.evaluators.formats import Format
from include.freezeline.evaluators.groundedness import Groundedness
from include.freezeline.evaluators.interface import Evaluator, PairModel, TextModel
from include.freezeline.evaluators.judge import Ask, Judge
from include.freezeline.evaluators.policy import EvaluatorPolicy
from include.freezeline.evaluators.refusal import Refusal
from include.freezeline.evaluators.relevance import Embedder, Relevance
from include.freezeline.evaluators.self_consistency import SelfConsistency
from include.freezeline.evaluators.tone import Tone
from include.freezeline.evaluators.toxicity import Toxicity


@dataclass(frozen=True, slots=True)
class Models:
    """What evaluators may use of the outside world.

    Attributes:
        embed: Turns texts into vectors.
        entails: Model for groundedness; None without.
        relates: Model for relevance; None without.
        rates_toxicity: Model for toxicity; None without.
        ask: Puts prompts to a judge; None without.
        judge_model: Name of the judge's model.
        names: Names of the models by the evaluators that use them.
    """

    embed: Embedder
    entails: PairModel | None = None
    relates: PairModel | None = None
    rates_toxicity: TextModel | None = None
    ask: Ask | None = None
    judge_model: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def build_evaluators(policy: EvaluatorPolicy, models: Models) -> list[Evaluator]:
    """Return the enabled evaluators by name; the judge only where there is one."""
    return [
        evaluator
        for evaluator in _all(policy, models)
        if policy.evaluators.of(evaluator.name).is_enabled
    ]


def threshold_of(policy: EvaluatorPolicy, evaluator: Evaluator) -> float | None:
    """Return the threshold of an evaluator; one with a model has its own."""
    setting = policy.evaluators.of(evaluator.name)
    return setting.model_threshold if evaluator.has_model else setting.threshold


def version_of(models: Models, evaluator: Evaluator) -> str:
    """Return the version of an evaluator with the model that scores, for rows."""
    name = models.names.get(evaluator.name)
    return f"{evaluator.version}+{name}" if name else evaluator.version


def weights_of(policy: EvaluatorPolicy) -> Mapping[str, float]:
    """Return the weights of the composite score by evaluator."""
    names = [name for name in type(policy.evaluators).model_fields if name != COMPOSITE]
    return {name: policy.evaluators.of(name).weight for name in names}


def _all(policy: EvaluatorPolicy, models: Models) -> Iterator[Evaluator]:
    """Yield every evaluator that can be set up."""
    yield Groundedness(models.entails)
    yield Relevance(models.embed, models.relates)
    yield Refusal()
    yield Format()
    yield Toxicity(models.rates_toxicity)
    yield Tone()
    yield SelfConsistency(models.embed)
    if models.ask is not None:
        yield Judge(models.ask, models.judge_model, policy.judge.criterion)
