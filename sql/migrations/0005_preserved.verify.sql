-- Proves that 0005 preserved is in place as promised.
{% set granted = ["public.tasks", "public.task_comments", "public.project_activities", "public.team_invites"] %}
{% set tables = granted + ["archive.files", "archive.documents"] %}
{% set stamped = ["public.tasks"] %}
{% include "checks/tables.sql" %}

-- The archive holds the documents of users with their password hashes, verbatim, and only the owner may look.
DO $check$
BEGIN
    IF has_schema_privilege({{ literal(readonly_role) }}, 'archive', 'USAGE')
        OR has_schema_privilege({{ literal(application_role) }}, 'archive', 'USAGE')
    THEN
        RAISE EXCEPTION 'schema archive is open to a role that must not read it';
    END IF;

    -- jsonb would give back a document that means the same, not the document that was written.
    IF (SELECT atttypid FROM pg_attribute WHERE attrelid = 'archive.documents'::regclass AND attname = 'document')
        <> 'json'::regtype
    THEN
        RAISE EXCEPTION 'archive.documents.document is not of type json';
    END IF;
END
$check$;
