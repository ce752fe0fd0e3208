-- Takes back 0002 messaging.
-- squawk-ignore-file ban-drop-table

DROP TABLE public.notifications;
DROP TABLE public.message_reactions;
DROP TABLE public.messages;
DROP TABLE public.conversation_participants;
DROP TABLE public.conversations;

-- The extension goes only if 0002 made it: then it belongs to the role that migrates. One that an administrator
-- installed before belongs to the administrator and stays.
DO $body$
BEGIN
    IF EXISTS (
        SELECT FROM pg_extension WHERE extname = 'pg_trgm' AND extowner = current_user::regrole
    ) THEN
        DROP EXTENSION pg_trgm;
    END IF;
END
$body$;
