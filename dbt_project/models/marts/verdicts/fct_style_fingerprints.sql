-- as now known: what the newest night wrote of each day, in its last revision
select
    fingerprint_key,
    revision,
    as_of,
    fingerprint_date,
    provider,
    model,
    feature,
    environment,
    request_models,
    n_answers,
    n_texts,
    means,
    standard_errors,
    fingerprint_hash,
    reason,
    method,
    method_version,
    input_hash,
    evidence_query
from {{ ref('stg_judgement__style_fingerprints') }}
qualify row_number() over (
    partition by fingerprint_key
    order by as_of desc, revision desc
) = 1
