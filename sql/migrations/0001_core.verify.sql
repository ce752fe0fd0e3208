-- Proves that 0001 core is in place as promised.
{% set tables = [
    "public.users", "public.organizations", "public.organization_members", "public.teams", "public.team_members",
    "public.projects",
] %}
{% set stamped = ["public.users", "public.organizations", "public.teams", "public.projects"] %}
{% set granted = tables %}
{% include "checks/tables.sql" %}

-- What a password was hashed to is nobody's business but the application's.
DO $check$
BEGIN
    IF has_column_privilege({{ literal(readonly_role) }}, 'public.users', 'password_hash', 'SELECT') THEN
        RAISE EXCEPTION 'the reports may read public.users.password_hash';
    END IF;
END
$check$;
