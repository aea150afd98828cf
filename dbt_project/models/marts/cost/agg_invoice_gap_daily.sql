-- Without an invoice, without calls, or with too many that nobody can price, nothing follows; but a
-- bill below what the priced calls alone should cost is a breach whatever the others cost.
{{ config(materialized='by_day', meta={'day': 'usage_date', 'axes': ['event', 'invoice']}) }}
{% set groups = ['provider', 'model', 'usage_date'] %}
{% set is_beyond_limits -%}
    abs(gap_usd) > {{ policy_number('invoice_max_gap_usd') }}
    and abs(gap_usd) > abs(billed_usd) * {{ policy_number('invoice_max_gap_ratio') }}
{%- endset %}

with

both_sides as (
    select
        provider,
        model,
        call_date as usage_date,
        call_count,
        unpriced_call_count,
        cost_usd as computed_usd,
        0 as n_invoice_lines,
        cast(null as decimal(18, 9)) as billed_usd
    from {{ ref('agg_cost_hourly') }}
    where {{ touched_rows('call_date', ['event', 'invoice']) }}
    union all
    select
        provider,
        model,
        call_date as usage_date,
        cast({{ exact_weight() }} as double) as call_count,
        case when cost_usd is null then cast({{ exact_weight() }} as double) else 0 end
            as unpriced_call_count,
        cast(cost_usd * {{ exact_weight() }} as decimal(18, 9)) as computed_usd,
        0 as n_invoice_lines,
        cast(null as decimal(18, 9)) as billed_usd
    from {{ ref('fct_embedding_costs') }}
    union all
    select
        provider,
        model,
        cast(usage_started_at as date) as usage_date,
        cast(0 as double) as call_count,
        cast(0 as double) as unpriced_call_count,
        cast(null as decimal(18, 9)) as computed_usd,
        1 as n_invoice_lines,
        billed_usd
    from {{ ref('stg_facts__invoice_lines') }}
),

grouped as (
    select
        {{ groups | join(',\n        ') }},
        sum(call_count) as call_count,
        sum(unpriced_call_count) as unpriced_call_count,
        cast(sum(n_invoice_lines) as bigint) as n_invoice_lines,
        cast(sum(billed_usd) as decimal(18, 9)) as billed_usd,
        cast(sum(computed_usd) as decimal(18, 9)) as computed_usd
    from both_sides
    group by {{ groups | join(', ') }}
),

compared as (
    select
        *,
        cast(billed_usd - computed_usd as decimal(18, 9)) as gap_usd,
        cast(billed_usd - computed_usd as double) / nullif(abs(cast(billed_usd as double)), 0)
            as gap_ratio
    from grouped
),

explained as (
    select
        *,
        case
            when n_invoice_lines = 0 and unpriced_call_count = 0 and computed_usd = 0
                then 'nothing_to_bill'
            when n_invoice_lines = 0 then 'no_invoice_line'
            when call_count = 0 then 'no_call_of_the_model'
            when {{ policy_number('invoice_max_gap_usd') }} is null then 'no_policy'
            when {{ is_beyond_limits }} and gap_usd < 0 then 'billed_less'
            when
                unpriced_call_count
                > call_count * coalesce({{ policy_number('invoice_max_unpriced_ratio') }}, 0)
                then 'unpriced_calls'
            when {{ is_beyond_limits }} then 'billed_more'
            else 'within_limits'
        end as reason
    from compared
)

select
    {{ surrogate_key(groups) }} as invoice_gap_key,
    *,
    case
        when reason in ('within_limits', 'nothing_to_bill') then 'ok'
        when reason in ('billed_more', 'billed_less') then 'breach'
        else 'insufficient_evidence'
    end as verdict
from explained
