-- of several results of one kind, bad news wins
select
    call_key,
    max(case when evaluation_kind = 'refusal' then cast(is_bad as int) end) = 1 as is_refusal,
    max(case when evaluation_kind = 'format' then cast(is_bad as int) end) = 1 as is_malformed,
    max(case when evaluation_kind = 'toxicity' then cast(is_bad as int) end) = 1 as is_toxic,
    max(case when evaluation_kind = 'ungrounded' then cast(is_bad as int) end) = 1
        as is_ungrounded
from {{ ref('int_evaluations__matched') }}
where call_key is not null and is_bad is not null
group by call_key
