-- Takes back 0001 core. Indexes, triggers and grants go with their tables; nothing is dropped by CASCADE, so an object
-- that somebody has hung on one of these tables stops the revert and is named, instead of going with it.
-- squawk-ignore-file ban-drop-table, ban-drop-function

DROP TABLE public.projects;
DROP TABLE public.team_members;
DROP TABLE public.teams;
DROP TABLE public.organization_members;
DROP TABLE public.organizations;
DROP TABLE public.users;
DROP FUNCTION public.set_updated_at();
