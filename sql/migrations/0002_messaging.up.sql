-- 0002 messaging: conversations, who takes part in them, what was said and how it was received, and notifications.
-- The rules of 0001 apply.

{% if extension_available("pg_trgm") -%}
-- Finds parts of words. Trusted, so the owner of the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

{% endif -%}
CREATE TABLE public.conversations (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name            text,
    description     text,
    type            text        NOT NULL,
    organization_id text        COLLATE "C",
    project_id      text        COLLATE "C",
    team_id         text        COLLATE "C",
    created_by      text        COLLATE "C" NOT NULL,
    last_message_at timestamptz,
    metadata        jsonb       DEFAULT '{}',
    settings        jsonb       DEFAULT '{}',
    is_archived     boolean     DEFAULT false,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    CONSTRAINT conversations_pkey PRIMARY KEY (id),
    CONSTRAINT conversations_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES public.organizations (id) ON DELETE CASCADE,
    CONSTRAINT conversations_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT conversations_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams (id) ON DELETE CASCADE,
    CONSTRAINT conversations_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users (id),
    CONSTRAINT conversations_type_check CHECK (type IN ('direct', 'group', 'project', 'team'))
);

CREATE TABLE public.conversation_participants (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    conversation_id text        COLLATE "C" NOT NULL,
    user_id         text        COLLATE "C" NOT NULL,
    role            text        NOT NULL DEFAULT 'member',
    joined_at       timestamptz DEFAULT now(),
    last_read_at    timestamptz,
    is_muted        boolean     DEFAULT false,
    is_pinned       boolean     DEFAULT false,
    CONSTRAINT conversation_participants_pkey PRIMARY KEY (id),
    CONSTRAINT conversation_participants_conversation_id_user_id_key UNIQUE (conversation_id, user_id),
    CONSTRAINT conversation_participants_conversation_id_fkey
        FOREIGN KEY (conversation_id) REFERENCES public.conversations (id) ON DELETE CASCADE,
    CONSTRAINT conversation_participants_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT conversation_participants_role_check CHECK (role IN ('owner', 'admin', 'member'))
);

-- thread_id names the message a thread began with. It has no foreign key: a thread outlives the deletion of its root.
CREATE TABLE public.messages (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    conversation_id text        COLLATE "C" NOT NULL,
    author_id       text        COLLATE "C" NOT NULL,
    content         text,
    message_type    text        NOT NULL DEFAULT 'text',
    priority        text        NOT NULL DEFAULT 'normal',
    status          text        NOT NULL DEFAULT 'sent',
    reply_to_id     text        COLLATE "C",
    thread_id       text        COLLATE "C",
    mentions        text[]      DEFAULT '{}',
    attachments     jsonb       DEFAULT '[]',
    metadata        jsonb       DEFAULT '{}',
    edited_at       timestamptz,
    deleted_at      timestamptz,
    created_at      timestamptz DEFAULT now(),
    CONSTRAINT messages_pkey PRIMARY KEY (id),
    CONSTRAINT messages_conversation_id_fkey
        FOREIGN KEY (conversation_id) REFERENCES public.conversations (id) ON DELETE CASCADE,
    CONSTRAINT messages_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users (id),
    CONSTRAINT messages_reply_to_id_fkey FOREIGN KEY (reply_to_id) REFERENCES public.messages (id),
    CONSTRAINT messages_message_type_check CHECK (message_type IN ('text', 'file', 'image', 'system')),
    CONSTRAINT messages_priority_check CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    CONSTRAINT messages_status_check CHECK (status IN ('sent', 'delivered', 'read'))
);

CREATE TABLE public.message_reactions (
    id         text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    message_id text        COLLATE "C" NOT NULL,
    user_id    text        COLLATE "C" NOT NULL,
    reaction   text        NOT NULL,
    created_at timestamptz DEFAULT now(),
    CONSTRAINT message_reactions_pkey PRIMARY KEY (id),
    CONSTRAINT message_reactions_message_id_user_id_reaction_key UNIQUE (message_id, user_id, reaction),
    CONSTRAINT message_reactions_message_id_fkey
        FOREIGN KEY (message_id) REFERENCES public.messages (id) ON DELETE CASCADE,
    CONSTRAINT message_reactions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE
);

CREATE TABLE public.notifications (
    id         text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    user_id    text        COLLATE "C" NOT NULL,
    type       text        NOT NULL,
    title      text        NOT NULL,
    message    text        NOT NULL,
    data       jsonb       DEFAULT '{}',
    priority   text        NOT NULL DEFAULT 'medium',
    is_read    boolean     DEFAULT false,
    read_at    timestamptz,
    action_url text,
    expires_at timestamptz,
    created_at timestamptz DEFAULT now(),
    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT notifications_priority_check CHECK (priority IN ('low', 'medium', 'high', 'urgent'))
);

-- The conversation of a project.
CREATE INDEX conversations_project_id_type_index
    ON public.conversations (project_id, type) WHERE project_id IS NOT NULL;
CREATE INDEX conversations_organization_id_index
    ON public.conversations (organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX conversations_team_id_index ON public.conversations (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX conversations_created_by_index ON public.conversations (created_by);

-- The conversations of a user with what is unread in each, answered from the index alone.
CREATE INDEX conversation_participants_user_id_conversation_id_index
    ON public.conversation_participants (user_id, conversation_id) INCLUDE (last_read_at);

-- The messages of a conversation, newest first, and the latest one of each; id makes the order of equal times certain.
CREATE INDEX messages_conversation_id_created_at_index ON public.messages (conversation_id, created_at DESC, id);
CREATE INDEX messages_author_id_index ON public.messages (author_id);
CREATE INDEX messages_reply_to_id_index ON public.messages (reply_to_id) WHERE reply_to_id IS NOT NULL;
CREATE INDEX messages_thread_id_index ON public.messages (thread_id) WHERE thread_id IS NOT NULL;

-- Full-text search. A query uses this index only if it repeats the expression to the letter. It reads the first 100 000
-- characters, because to_tsvector fails beyond 1 MB of words and a long message must not be refused for its length:
-- https://www.postgresql.org/docs/current/textsearch-limitations.html
CREATE INDEX messages_content_words_index
    ON public.messages USING gin (to_tsvector('english', left(content, 100000)));
{% if extension_available("pg_trgm") %}
-- Search for a part of a word.
CREATE INDEX messages_content_trigrams_index ON public.messages USING gin (content public.gin_trgm_ops);
{% endif %}
CREATE INDEX message_reactions_user_id_index ON public.message_reactions (user_id);

-- The notifications of a user, newest first; and the unread ones, which are few and are counted every few seconds.
CREATE INDEX notifications_user_id_created_at_index ON public.notifications (user_id, created_at DESC);
CREATE INDEX notifications_unread_index ON public.notifications (user_id) WHERE is_read = false;

CREATE TRIGGER conversations_set_updated_at BEFORE UPDATE ON public.conversations
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.conversations, public.conversation_participants, public.messages, public.message_reactions,
        public.notifications
    TO {{ application_role }};
GRANT SELECT
    ON public.conversations, public.conversation_participants, public.messages, public.message_reactions,
        public.notifications
    TO {{ readonly_role }};
