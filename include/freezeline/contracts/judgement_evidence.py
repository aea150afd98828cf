"""The judgement tables behind verdicts: causes, examples, scores, agreement, fingerprints of style."""

from include.freezeline.contracts.columns import Column, Table
from include.freezeline.contracts.judgement_common import REVISION, SUBJECT

ROOT_CAUSES = Table(
    name="root_causes",
    grain="one row per drift, divergence or anomaly verdict that is a warning or breach, and revision",
    key=("verdict_key",),
    columns=(
        Column("verdict_key", "string", "The verdict of verdicts it explains.", nullable=False),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column("family", "string", "drift, divergence or anomaly.", nullable=False),
        Column("question", "string", "What was asked.", nullable=False),
        *SUBJECT,
        Column("model", "string", "Model name judged; null over all."),
        Column(
            "window_started_at", "timestamp", "Start of the calls looked at now.", nullable=False
        ),
        Column("window_ended_at", "timestamp", "Exclusive end of them.", nullable=False),
        Column(
            "before_started_at",
            "timestamp",
            "Start of the calls they are compared with.",
            nullable=False,
        ),
        Column("before_ended_at", "timestamp", "Exclusive end of them.", nullable=False),
        Column(
            "cause",
            "string",
            "prompt, model, retrieval or input: the first, in that order, of which something "
            "changed significantly and by enough; unknown when nothing did.",
            nullable=False,
        ),
        Column("reason", "string", "The cause in words, with its numbers.", nullable=False),
        Column("n_reference", "int64", "Calls looked at before.", nullable=False),
        Column("n_current", "int64", "Calls looked at now.", nullable=False),
        Column("method", "string", "Name of the rule.", nullable=False),
        Column("method_version", "string", "Version of the rule.", nullable=False),
        Column("seed", "int64", "Seed of the tests.", nullable=False),
        Column(
            "evidence",
            "json",
            "List of every sign looked at: cause, name, value with interval, p_value, "
            "adjusted_p_value, n_reference, n_current, is_changed, is_counted, note, reason, moved; of "
            "shares total_variation, chance_total_variation, n_gone and n_new; of probes windows.",
            nullable=False,
        ),
        Column("evidence_query", "string", "SQL that shows the calls behind it.", nullable=False),
    ),
)

VERDICT_EXAMPLES = Table(
    name="verdict_examples",
    grain="one row per answer that moved a warning or breach most, at most three a verdict, and revision",
    key=("verdict_key", "example_rank"),
    columns=(
        Column("verdict_key", "string", "The verdict of verdicts.", nullable=False),
        Column("example_rank", "int32", "1 is the answer that moved it most.", nullable=False),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column("question", "string", "What was asked.", nullable=False),
        *SUBJECT,
        Column("call_key", "string", "The call that was answered.", nullable=False),
        Column(
            "called_at",
            "timestamp",
            "When; the row lives as long as the call's texts.",
            nullable=False,
        ),
        Column("prompt_version", "string", "Prompt version; empty when unknown.", nullable=False),
        Column(
            "output_excerpt_redacted",
            "string",
            "First 200 characters of the answer, redacted.",
            nullable=False,
        ),
    ),
)

CALL_SCORES = Table(
    name="call_scores",
    grain="one row per evaluated answer, evaluator, as_of and revision; answers are a sample of each segment",
    key=("call_score_key",),
    columns=(
        Column(
            "call_score_key", "string", "Hash of as_of, call_key and evaluator.", nullable=False
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column("call_key", "string", "Evaluated call.", nullable=False),
        *SUBJECT,
        Column("model", "string", "Model name asked for."),
        Column("prompt_version", "string", "Version of the prompt template."),
        Column("called_at", "timestamp", "Start of the call.", nullable=False),
        Column("is_canary", "bool", "True for probe calls with a fixed prompt.", nullable=False),
        Column(
            "evaluator",
            "string",
            "groundedness, relevance, refusal, format, toxicity, tone, self_consistency, judge, composite, or structure (answers unlike their class).",
            nullable=False,
        ),
        Column(
            "evaluator_version",
            "string",
            "Changes whenever a score could; with the name of the model that scores, where there is one.",
            nullable=False,
        ),
        Column(
            "evaluation_score",
            "float64",
            "0 to 1; whether high is bad is the evaluator's (docs/evaluators.md). Null when the answer cannot be scored, and for structure, which has a p-value.",
        ),
        Column(
            "threshold_score",
            "float64",
            "Score from which on the answer is on the high side; null without one. For structure the level that the q-value is compared with.",
        ),
        Column(
            "is_bad",
            "bool",
            "Whether the answer is on the bad side; null when it cannot be scored, there is no threshold, or its class is too small.",
        ),
        Column(
            "p_value",
            "float64",
            "Chance that an ordinary answer of its class is as unusual; for structure only.",
        ),
        Column("q_value", "float64", "p-value after false-discovery control over the night."),
        Column(
            "sample_weight",
            "float64",
            "How many kept answers of its segment the row stands for.",
            nullable=False,
        ),
        Column(
            "judge_cost_usd",
            "float64",
            "What asking a judge cost; null without one or without prices.",
        ),
        Column("reason", "string", "The score in words; never quotes a text.", nullable=False),
        Column("details", "json", "What stands out, and other numbers.", nullable=False),
    ),
)

EVALUATOR_AGREEMENTS = Table(
    name="evaluator_agreements",
    grain="one row per evaluator, question about it, as_of and revision; only where people evaluated the same answers",
    key=("agreement_key",),
    columns=(
        Column(
            "agreement_key",
            "string",
            "Hash of as_of, evaluator, evaluator_version and question.",
            nullable=False,
        ),
        *REVISION,
        Column("as_of", "timestamp", "Exclusive end of what was known.", nullable=False),
        Column("evaluator", "string", "Evaluator.", nullable=False),
        Column("evaluator_version", "string", "Its version.", nullable=False),
        Column(
            "question",
            "string",
            "roc_auc, sensitivity, specificity, calibrated_threshold, corrected_bad_ratio, length_bias, self_preference or position_bias.",
            nullable=False,
        ),
        Column("value", "float64", "The answer; null with insufficient evidence."),
        Column("value_lower", "float64", "Lower end of its 95% interval."),
        Column("value_upper", "float64", "Upper end."),
        Column("unit", "string", "ratio, score or none.", nullable=False),
        Column("p_value", "float64", "p-value of a bias; null otherwise."),
        Column(
            "n_reference",
            "int64",
            "Answers with a no of people, or of the other side.",
            nullable=False,
        ),
        Column(
            "n_current", "int64", "Answers with a yes of people, or of this side.", nullable=False
        ),
        Column("reason", "string", "The answer in words, or what is missing.", nullable=False),
        Column("method", "string", "Name of the statistic.", nullable=False),
        Column("seed", "int64", "Seed of the random generator; null when none was used."),
    ),
)

STYLE_FINGERPRINTS = Table(
    name="style_fingerprints",
    grain="one row per day, provider, model that answered, feature, environment and revision; a day with too few answers has a row that says so",
    key=("fingerprint_key",),
    columns=(
        Column(
            "fingerprint_key",
            "string",
            "Hash of fingerprint_date, provider, model, feature and environment.",
            nullable=False,
        ),
        *REVISION,
        Column(
            "as_of",
            "timestamp",
            "Exclusive end of what was known; a later night writes the day again only when answers of it came late or changed.",
            nullable=False,
        ),
        Column("fingerprint_date", "date", "UTC date of the calls.", nullable=False),
        Column("provider", "string", "Provider that answered; null when unknown."),
        Column(
            "model",
            "string",
            "Model that answered as the source names it; the model asked for where it names none.",
        ),
        *SUBJECT,
        Column(
            "request_models",
            "json",
            "List of the model names asked for that day, sorted.",
            nullable=False,
        ),
        Column(
            "n_answers",
            "int64",
            "Answers of the day with a text, probes left out.",
            nullable=False,
        ),
        Column(
            "n_texts",
            "int64",
            "Answers looked at: the first by a hash of the call key, as many as drift.yml allows, empty ones left out.",
            nullable=False,
        ),
        Column(
            "means",
            "json",
            "Mean of log(1 + habit) over the answers by habit; null with fewer than 20.",
        ),
        Column("standard_errors", "json", "Standard error of each mean by habit; null with it."),
        Column(
            "fingerprint_hash",
            "string",
            "Hash of the means to four digits; equal for equal style, null without means.",
        ),
        Column("reason", "string", "Why there are no means; null when there are."),
        Column("method", "string", "Name of the statistic.", nullable=False),
        Column("method_version", "string", "Version of the method.", nullable=False),
        Column(
            "input_hash",
            "string",
            "Hash of all answers of the day, of the limit on texts and of the method's version.",
            nullable=False,
        ),
        Column(
            "evidence_query",
            "string",
            "SQL that shows the day's answers as long as their texts are kept.",
            nullable=False,
        ),
    ),
)
