{#
    Drop what earlier versions of the project built and this one no longer knows: a renamed or
    removed model would otherwise stay in every later snapshot, with the rows of its last night.
#}
{% macro drop_orphans() %}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set known = [] -%}
        {%- set databases = {} -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- do known.append((node.schema ~ '.' ~ node.alias) | lower) -%}
            {%- do databases.update({node.schema: node.database}) -%}
        {%- endfor -%}
        {%- for schema, database in databases.items() -%}
            {%- for name, kind in built_relations(database, schema)
                if (schema ~ '.' ~ name) | lower not in known -%}
                {%- set relation = api.Relation.create(
                    database=database, schema=schema, identifier=name, type=kind
                ) -%}
                {%- do log('dropping ' ~ relation ~ ': no model of this project', info=true) -%}
                {%- do adapter.drop_relation(relation) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
