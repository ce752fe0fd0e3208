-- 0005 preserved: a home for what the file store holds beyond the planned tables, so that nothing is lost on the way.
--
-- First the four kinds of record the plan has no table for: tasks, their comments, the activities of projects, and
-- invitations to teams. Then schema archive: every source document as it was written, with the bytes between and around
-- the documents, from which each file can be given back byte for byte. The archive is dropped by one deliberate command
-- when the way back to files is closed. The rules of 0001 apply.

CREATE TABLE public.tasks (
    id           text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    project_id   text        COLLATE "C" NOT NULL,
    title        text        NOT NULL,
    description  text,
    status       text        NOT NULL DEFAULT 'todo',
    priority     text        NOT NULL DEFAULT 'medium',
    assigned_to  text        COLLATE "C",
    due_date     timestamptz,
    order_index  integer     NOT NULL DEFAULT 0,
    tags         text[]      DEFAULT '{}',
    attachments  jsonb       DEFAULT '[]',
    metadata     jsonb       DEFAULT '{}',
    created_by   text        COLLATE "C",
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    completed_at timestamptz,
    CONSTRAINT tasks_pkey PRIMARY KEY (id),
    CONSTRAINT tasks_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT tasks_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES public.users (id),
    CONSTRAINT tasks_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users (id),
    CONSTRAINT tasks_status_check CHECK (status IN ('todo', 'in-progress', 'completed')),
    CONSTRAINT tasks_priority_check CHECK (priority IN ('low', 'medium', 'high', 'critical'))
);

-- author is the writer as the comment shows them, who may no longer be a user. updated_at says when the text was last
-- edited, null while it never was, so no trigger stamps it.
CREATE TABLE public.task_comments (
    id         text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    project_id text        COLLATE "C" NOT NULL,
    task_id    text        COLLATE "C" NOT NULL,
    content    text        NOT NULL,
    mentions   text[]      DEFAULT '{}',
    created_by text        COLLATE "C",
    author     jsonb,
    created_at timestamptz DEFAULT now(),
    updated_at timestamptz,
    CONSTRAINT task_comments_pkey PRIMARY KEY (id),
    CONSTRAINT task_comments_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT task_comments_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.tasks (id) ON DELETE CASCADE,
    CONSTRAINT task_comments_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users (id)
);

-- entity_id has no foreign key: an activity goes on telling of a task or a file that was deleted since.
CREATE TABLE public.project_activities (
    id           text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    project_id   text        COLLATE "C" NOT NULL,
    type         text        NOT NULL,
    user_id      text        COLLATE "C",
    user_name    text,
    user_email   text,
    user_avatar  text,
    entity_type  text,
    entity_id    text        COLLATE "C",
    entity_title text,
    action       text,
    metadata     jsonb       DEFAULT '{}',
    created_at   timestamptz DEFAULT now(),
    CONSTRAINT project_activities_pkey PRIMARY KEY (id),
    CONSTRAINT project_activities_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT project_activities_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
);

CREATE TABLE public.team_invites (
    id         text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    team_id    text        COLLATE "C" NOT NULL,
    email      text        NOT NULL,
    role       text,
    invited_by text        COLLATE "C",
    invited_at timestamptz,
    status     text        NOT NULL DEFAULT 'pending',
    CONSTRAINT team_invites_pkey PRIMARY KEY (id),
    CONSTRAINT team_invites_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams (id) ON DELETE CASCADE,
    CONSTRAINT team_invites_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES public.users (id),
    CONSTRAINT team_invites_status_check CHECK (status IN ('pending', 'accepted', 'declined'))
);

CREATE SCHEMA archive;

-- One row per file of the store. header and footer are the bytes around the records; content is the whole file where it
-- is not JSON.
CREATE TABLE archive.files (
    path        text        COLLATE "C" NOT NULL,
    entity      text        NOT NULL,
    size_bytes  bigint      NOT NULL,
    sha256      bytea       NOT NULL,
    modified_at timestamptz,
    header      bytea,
    footer      bytea,
    content     bytea,
    records     bigint      NOT NULL,
    CONSTRAINT files_pkey PRIMARY KEY (path)
);

-- One row per record, in the order of the file. document is json, not jsonb: it keeps spelling, order and duplicate
-- keys. raw holds a record that is not valid JSON. separator holds the bytes before the record where they differ from
-- the file's usual ones. sha256 is of the record's bytes.
CREATE TABLE archive.documents (
    file      text   COLLATE "C" NOT NULL,
    ordinal   bigint NOT NULL,
    entity    text   NOT NULL,
    id        text   COLLATE "C",
    document  json,
    raw       bytea,
    separator bytea,
    sha256    bytea  NOT NULL,
    CONSTRAINT documents_pkey PRIMARY KEY (file, ordinal),
    CONSTRAINT documents_file_fkey FOREIGN KEY (file) REFERENCES archive.files (path)
);

-- The tasks and the latest activities of a project, and the comments of a task.
CREATE INDEX tasks_project_id_created_at_index ON public.tasks (project_id, created_at DESC);
CREATE INDEX tasks_assigned_to_index ON public.tasks (assigned_to) WHERE assigned_to IS NOT NULL;
CREATE INDEX tasks_created_by_index ON public.tasks (created_by) WHERE created_by IS NOT NULL;

CREATE INDEX task_comments_task_id_created_at_index ON public.task_comments (task_id, created_at);
CREATE INDEX task_comments_project_id_index ON public.task_comments (project_id);
CREATE INDEX task_comments_created_by_index ON public.task_comments (created_by) WHERE created_by IS NOT NULL;

CREATE INDEX project_activities_project_id_created_at_index ON public.project_activities (project_id, created_at DESC);
CREATE INDEX project_activities_user_id_index ON public.project_activities (user_id) WHERE user_id IS NOT NULL;

CREATE INDEX team_invites_team_id_index ON public.team_invites (team_id);
CREATE INDEX team_invites_invited_by_index ON public.team_invites (invited_by) WHERE invited_by IS NOT NULL;

-- The document a row came from.
CREATE INDEX documents_entity_id_index ON archive.documents (entity, id);

CREATE TRIGGER tasks_set_updated_at BEFORE UPDATE ON public.tasks
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.tasks, public.task_comments, public.project_activities, public.team_invites
    TO {{ application_role }};
GRANT SELECT
    ON public.tasks, public.task_comments, public.project_activities, public.team_invites
    TO {{ readonly_role }};

-- Nobody but the owner is granted anything in schema archive: the documents of users hold their password hashes.
