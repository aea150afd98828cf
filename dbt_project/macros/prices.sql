{# Whether a row of the price book is the one for a call: its model, tier, hour and prompt. #}
{% macro price_is_of_call(prices, calls) -%}
    {{ calls }}.provider = {{ prices }}.provider
    and {{ calls }}.priced_model = {{ prices }}.model
    and {{ calls }}.service_tier = {{ prices }}.service_tier
    and {{ calls }}.called_second_s >= {{ prices }}.day_from_s
    and {{ calls }}.called_second_s < {{ prices }}.day_to_s
    and {{ calls }}.input_tokens >= {{ prices }}.input_from_tokens
    and (
        {{ calls }}.input_tokens < {{ prices }}.input_to_tokens
        or {{ prices }}.input_to_tokens is null
    )
{%- endmacro %}

{# Why a call has no cost at a price; null when it has one. A stored answer and a refused call need none. #}
{% macro unpriced_reason(prices, calls) -%}
    case
        when {{ calls }}.is_gateway_cache_hit or {{ calls }}.not_billed_reason is not null
            then null
        when {{ calls }}.priced_model is null then 'no_model_name'
        when {{ prices }}.provider is null then 'no_price_at_call_time'
        when {{ prices }}.unpriced_reason is not null then {{ prices }}.unpriced_reason
        when not {{ calls }}.has_known_tokens then 'unknown_tokens'
        when
            {{ prices }}.output_usd_per_token is null
            and {{ calls }}.billable_output_tokens + {{ calls }}.billable_reasoning_tokens > 0
            then 'no_output_price'
        when {{ prices }}.web_search_usd is null and {{ calls }}.web_search_count > 0
            then 'no_web_search_price'
    end
{%- endmacro %}

{#
    What a call costs at a price, or some kinds of its tokens; nothing costs nothing. The sum keeps
    its twelve decimals, since DuckDB is slow at rounding numbers of 128 bits, as the sum is.
#}
{% macro call_amount_usd(prices, calls, kinds=none) -%}
    {%- set counts_and_prices = {
        'input': ('billable_input_tokens', 'input_usd_per_token'),
        'cache_read': ('billable_cache_read_tokens', 'cache_read_usd_per_token'),
        'cache_write': ('billable_cache_write_tokens', 'cache_write_usd_per_token'),
        'cache_write_1h': ('billable_cache_write_1h_tokens', 'cache_write_1h_usd_per_token'),
        'output': ('billable_output_tokens', 'output_usd_per_token'),
        'reasoning': ('billable_reasoning_tokens', 'reasoning_usd_per_token'),
        'web_search': ('web_search_count', 'web_search_usd'),
    } -%}
    cast(
    {%- for kind in kinds or counts_and_prices -%}
        {%- set count, price = counts_and_prices[kind] %}
        {{ '+ ' if not loop.first }}coalesce(
            cast({{ calls }}.{{ count }} as decimal(18, 0)) * {{ prices }}.{{ price }}, 0
        )
    {%- endfor %}
        as decimal(18, 12)
    )
{%- endmacro %}
