-- content that came apart from its span finds its call by the ids of its log event, or by the
-- name of an uploaded object that the span or its log event refers to
with

calls as (
    select *
    from {{ ref('int_calls__identified') }}
    -- what may not be kept on the span may not come in by another door
    where consent <> 'denied' and not is_text_withheld
),

pieces as (
    select *
    from {{ ref('stg_otel__message_contents') }}
    -- older conventions send every message as an event of its own; the user's is the question
    where coalesce(event_name, '') not in ('gen_ai.assistant.message', 'gen_ai.tool.message')
),

logged as (
    select
        calls.call_key,
        pieces.direction as call_direction,
        pieces.*
    from calls
    inner join pieces
        on
            calls.trace_id = pieces.trace_id
            and calls.span_id = pieces.span_id
),

referred as (
    select
        call_key,
        'input' as call_direction,
        input_content_name as content_name
    from calls
    union all
    select
        call_key,
        'output' as call_direction,
        output_content_name as content_name
    from calls
    union all
    select
        call_key,
        call_direction,
        content_name
    from logged
),

matched as (
    select * from logged
    union all
    -- who refers to an object knows best whether it is the question or the answer
    select
        referred.call_key,
        referred.call_direction,
        pieces.*
    from referred
    inner join pieces
        on
            referred.content_name = pieces.content_name
            and pieces.carrier = 'upload_object'
)

-- the last question and the first answer; a log event, which knows its span, before an upload
select
    call_key,
    call_direction,
    direction,
    carrier,
    has_text,
    finish_reason,
    source_object,
    source_offset
from matched
where call_direction in ('input', 'output')
qualify row_number() over (
    partition by call_key, call_direction
    order by
        has_text desc,
        carrier asc,
        case call_direction when 'output' then recorded_at end asc,
        case call_direction when 'output' then source_offset end asc,
        case call_direction when 'input' then recorded_at end desc,
        case call_direction when 'input' then source_offset end desc,
        source_object asc
) = 1
