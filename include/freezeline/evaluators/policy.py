"""What is evaluated, from which score on it is bad, and what counts how much (``evaluators.yml``)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from include.freezeline.config import load_yaml, parse_config
from include.freezeline.evaluators.schemas import UnusableSchemaError, check_schema
from include.freezeline.stats.outliers import LEAST_REFERENCE

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Dollars = Annotated[float, Field(ge=0.0)]
LabelKind = Literal["refusal", "toxicity", "ungrounded", "format", "feedback"]


class _Strict(BaseModel):
    """A typing mistake in a policy file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sampling(_Strict):
    """Which answers are evaluated; the choice depends on call keys only.

    Attributes:
        window_days: Answers of the last days before ``as_of``.
        max_per_segment: Of each feature, environment, model and prompt version.
        max_structure: Of each of them, how many are held against their class; cheaper than a score.
        max_answers: Over all segments of a night, each giving up the same share.
        reference_days: Days before the window from which earlier answers are read.
        max_reference: Earlier answers of a segment that are read.
        max_replicas: Other answers to the same prompt that are compared with.
        label_days: Days before ``as_of`` from which people's evaluations are read.
        max_labelled: Answers with people's evaluations that are scored to measure agreement.
    """

    window_days: Count
    max_per_segment: Count
    max_structure: Count
    max_answers: Count
    reference_days: Count
    max_reference: Count
    max_replicas: Count
    label_days: Count
    max_labelled: Annotated[int, Field(ge=0)]


class Setting(_Strict):
    """How one evaluator is used.

    Attributes:
        is_enabled: Whether it runs.
        weight: Weight in the composite score; 0 leaves it out.
        threshold: Score from which on the answer is on the high side; for the evaluator without a
            model. Without one nothing is called bad.
        threshold_interval: 95% interval of the threshold where it was calibrated.
        threshold_source: The labels it was calibrated on, or why it is what it is.
        model_threshold: The same for the evaluator with the model that a setting names.
        labels: Kind of people's evaluations that ask the same; ``feedback`` is whether they liked
            the answer.
    """

    is_enabled: bool = True
    weight: Annotated[float, Field(ge=0.0)] = 1.0
    threshold: Share | None = None
    threshold_interval: tuple[Share, Share] | None = None
    threshold_source: Annotated[str, Field(min_length=1)]
    model_threshold: Share | None = None
    labels: LabelKind | None = None

    @model_validator(mode="after")
    def _holds_its_threshold(self) -> Self:
        """Refuse an interval without its threshold in it."""
        interval, value = self.threshold_interval, self.threshold
        if interval is not None and (value is None or not interval[0] <= value <= interval[1]):
            message = f"threshold_interval must hold the threshold ({value})"
            raise ValueError(message)
        return self


class EvaluatorSettings(_Strict):
    """The evaluators by name."""

    groundedness: Setting
    relevance: Setting
    refusal: Setting
    format: Setting
    toxicity: Setting
    tone: Setting
    self_consistency: Setting
    judge: Setting
    composite: Setting

    @field_validator("judge")
    @classmethod
    def _judge_has_no_plain_threshold(cls, given: Setting) -> Setting:
        """Refuse a threshold that would never be used: the judge is always a model."""
        if given.threshold is not None:
            message = (
                f"threshold {given.threshold} is for evaluators without a model, and the judge is "
                f"one (write model_threshold: {given.threshold})"
            )
            raise ValueError(message)
        return given

    @field_validator("refusal", "format", "tone", "self_consistency", "composite")
    @classmethod
    def _has_no_model(cls, given: Setting) -> Setting:
        """Refuse a threshold that would never be used: no setting gives these a model."""
        if given.model_threshold is not None:
            message = (
                f"model_threshold {given.model_threshold} is for an evaluator with a model, and no "
                f"setting names one for this (write threshold: {given.model_threshold})"
            )
            raise ValueError(message)
        return given

    def of(self, name: str) -> Setting:
        """Return the setting of an evaluator."""
        setting: Setting = getattr(self, name)
        return setting


class JudgePolicy(_Strict):
    """How a language model is asked, where ``FREEZELINE_JUDGE_URL`` names one.

    Attributes:
        criterion: What a good answer does, as a sentence.
        max_calls: Questions of a night that it is asked. Where people evaluated answers, pairs and
            half of what they leave are asked first, to measure it.
        max_pairs: Pairs of answers to one prompt that it compares in both orders, to measure how
            far the order decides; each is two questions.
        timeout_s: Seconds without a byte after which a call is given up.
        n_attempts: Attempts of a call.
        max_output_tokens: Longest reply.
        input_usd_per_mtok: Price of a million prompt tokens; costs are unknown without prices.
        output_usd_per_mtok: Price of a million reply tokens.
        family_prefixes: Beginnings of model names of the judge's own family.
    """

    criterion: Annotated[str, Field(min_length=1)]
    max_calls: Count
    max_pairs: Annotated[int, Field(ge=0)]
    timeout_s: Annotated[float, Field(gt=0.0)]
    n_attempts: Count
    max_output_tokens: Count
    input_usd_per_mtok: Dollars | None = None
    output_usd_per_mtok: Dollars | None = None
    family_prefixes: tuple[Annotated[str, Field(min_length=1)], ...] = ()


class StructurePolicy(_Strict):
    """Answers unlike their class.

    Attributes:
        is_enabled: Whether they are looked for.
        min_reference: Classes with fewer earlier answers are insufficient evidence; with fewer
            than 160 not even a blatant answer could be found.
        level: Expected share of false findings among a night's findings.
        is_embedded: Whether meaning is compared by embeddings instead of words; slower.
    """

    is_enabled: bool = True
    min_reference: Annotated[int, Field(ge=LEAST_REFERENCE)]
    level: Annotated[float, Field(gt=0.0, lt=1.0)]
    is_embedded: bool = False


class EvaluatorPolicy(_Strict):
    """The file ``config/evaluators.yml``.

    Attributes:
        version: Version of the file format.
        seed: Every seed of a night derives from it.
        sampling: Which answers are evaluated.
        evaluators: How each evaluator is used.
        judge: How a language model is asked.
        formats: JSON Schema that answers of a feature have to meet, by feature.
        structure: Answers unlike their class.
        min_labels: Fewer people's yes or no labels are insufficient evidence of agreement.
    """

    version: Literal[1]
    seed: int
    sampling: Sampling
    evaluators: EvaluatorSettings
    judge: JudgePolicy
    formats: Mapping[str, Mapping[str, Any]] = {}
    structure: StructurePolicy
    min_labels: Annotated[int, Field(ge=5)]

    @field_validator("formats")
    @classmethod
    def _are_schemas(cls, given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
        """Refuse schemas that answers cannot be held against."""
        for feature, schema in given.items():
            try:
                check_schema(schema)
            except UnusableSchemaError as error:
                message = f"{feature}: {error}"
                raise ValueError(message) from None
        return given


def load_evaluator_policy(config_dir: Path) -> EvaluatorPolicy:
    """Read ``evaluators.yml``.

    Raises:
        ConfigError: The file is missing, or is not what it should be.
    """
    path = config_dir / "evaluators.yml"
    return parse_config(EvaluatorPolicy, path, load_yaml(path))
