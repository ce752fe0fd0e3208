-- Proves that 0002 messaging is in place as promised.
{% set tables = [
    "public.conversations", "public.conversation_participants", "public.messages", "public.message_reactions",
    "public.notifications",
] %}
{% set stamped = ["public.conversations"] %}
{% set granted = tables %}
{% include "checks/tables.sql" %}

-- A search for words must find its index, or every search reads every message.
DO $check$
BEGIN
    IF to_regclass('public.messages_content_words_index') IS NULL THEN
        RAISE EXCEPTION 'missing index: public.messages_content_words_index';
    END IF;
END
$check$;
