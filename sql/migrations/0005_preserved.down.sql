-- Takes back 0005 preserved: the source documents first, then the four tables.
-- squawk-ignore-file ban-drop-table, ban-drop-schema

DROP TABLE archive.documents;
DROP TABLE archive.files;
DROP SCHEMA archive;
DROP TABLE public.team_invites;
DROP TABLE public.project_activities;
DROP TABLE public.task_comments;
DROP TABLE public.tasks;
