-- Proves that 0003 files is in place as promised.
{% set tables = ["public.project_members", "public.project_milestones", "public.files", "public.file_permissions"] %}
{% set stamped = ["public.project_milestones", "public.files"] %}
{% set granted = tables %}
{% include "checks/tables.sql" %}
