-- 0003 files: the members and milestones of projects, their files, and who may do what with a file.
-- The rules of 0001 apply.

CREATE TABLE public.project_members (
    id          text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    project_id  text        COLLATE "C" NOT NULL,
    user_id     text        COLLATE "C" NOT NULL,
    role        text        NOT NULL,
    permissions jsonb       DEFAULT '[]',
    hourly_rate numeric,
    joined_at   timestamptz DEFAULT now(),
    is_active   boolean     DEFAULT true,
    CONSTRAINT project_members_pkey PRIMARY KEY (id),
    CONSTRAINT project_members_project_id_user_id_key UNIQUE (project_id, user_id),
    CONSTRAINT project_members_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT project_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT project_members_role_check CHECK (role IN ('manager', 'contributor', 'reviewer', 'viewer'))
);

CREATE TABLE public.project_milestones (
    id           text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    project_id   text        COLLATE "C" NOT NULL,
    name         text        NOT NULL,
    description  text,
    due_date     date,
    completed_at timestamptz,
    assigned_to  text        COLLATE "C",
    order_index  integer     NOT NULL DEFAULT 0,
    is_required  boolean     DEFAULT true,
    created_at   timestamptz DEFAULT now(),
    updated_at   timestamptz DEFAULT now(),
    CONSTRAINT project_milestones_pkey PRIMARY KEY (id),
    CONSTRAINT project_milestones_project_id_fkey
        FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT project_milestones_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES public.users (id)
);

CREATE TABLE public.files (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name            text        NOT NULL,
    original_name   text        NOT NULL,
    description     text,
    file_path       text        NOT NULL,
    file_url        text        NOT NULL,
    thumbnail_url   text,
    mime_type       text        NOT NULL,
    file_size       bigint      NOT NULL,
    width           integer,
    height          integer,
    duration        integer,
    pages           integer,
    category        text        NOT NULL DEFAULT 'other',
    status          text        NOT NULL DEFAULT 'draft',
    version         integer     NOT NULL DEFAULT 1,
    is_latest       boolean     DEFAULT true,
    parent_file_id  text        COLLATE "C",
    project_id      text        COLLATE "C",
    organization_id text        COLLATE "C" NOT NULL,
    uploaded_by     text        COLLATE "C" NOT NULL,
    metadata        jsonb       DEFAULT '{}',
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    CONSTRAINT files_pkey PRIMARY KEY (id),
    CONSTRAINT files_parent_file_id_fkey FOREIGN KEY (parent_file_id) REFERENCES public.files (id),
    CONSTRAINT files_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
    CONSTRAINT files_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES public.organizations (id) ON DELETE CASCADE,
    CONSTRAINT files_uploaded_by_fkey FOREIGN KEY (uploaded_by) REFERENCES public.users (id),
    CONSTRAINT files_category_check CHECK (category IN ('design', 'reference', 'final', 'feedback', 'other')),
    CONSTRAINT files_status_check CHECK (status IN ('draft', 'review', 'approved', 'rejected'))
);

-- A permission is given to one user or to one team.
CREATE TABLE public.file_permissions (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    file_id         text        COLLATE "C" NOT NULL,
    user_id         text        COLLATE "C",
    team_id         text        COLLATE "C",
    permission_type text        NOT NULL,
    granted_by      text        COLLATE "C" NOT NULL,
    granted_at      timestamptz DEFAULT now(),
    CONSTRAINT file_permissions_pkey PRIMARY KEY (id),
    CONSTRAINT file_permissions_file_id_fkey FOREIGN KEY (file_id) REFERENCES public.files (id) ON DELETE CASCADE,
    CONSTRAINT file_permissions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT file_permissions_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams (id) ON DELETE CASCADE,
    CONSTRAINT file_permissions_granted_by_fkey FOREIGN KEY (granted_by) REFERENCES public.users (id),
    CONSTRAINT file_permissions_permission_type_check CHECK (permission_type IN ('read', 'write', 'delete', 'share')),
    CONSTRAINT file_permissions_user_or_team_check CHECK (num_nonnulls(user_id, team_id) = 1)
);

-- The projects of a user, active or not: deleting a user must find them all. The unique pair above serves the reverse.
CREATE INDEX project_members_user_id_project_id_index ON public.project_members (user_id, project_id);

-- The milestones of a project, in order.
CREATE INDEX project_milestones_project_id_order_index_index ON public.project_milestones (project_id, order_index);
CREATE INDEX project_milestones_assigned_to_index
    ON public.project_milestones (assigned_to) WHERE assigned_to IS NOT NULL;

-- The files of a project, of an organization and of an uploader, newest first; and the versions of a file.
CREATE INDEX files_project_id_created_at_index
    ON public.files (project_id, created_at DESC) WHERE project_id IS NOT NULL;
CREATE INDEX files_organization_id_created_at_index ON public.files (organization_id, created_at DESC);
CREATE INDEX files_uploaded_by_created_at_index ON public.files (uploaded_by, created_at DESC);
CREATE INDEX files_parent_file_id_index ON public.files (parent_file_id) WHERE parent_file_id IS NOT NULL;
{% if extension_available("pg_trgm") %}
-- Search for a part of a name or of a description; one index serves either column and both.
CREATE INDEX files_name_description_trigrams_index
    ON public.files USING gin (name public.gin_trgm_ops, description public.gin_trgm_ops);
{% endif %}
CREATE INDEX file_permissions_file_id_index ON public.file_permissions (file_id);
CREATE INDEX file_permissions_user_id_index ON public.file_permissions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX file_permissions_team_id_index ON public.file_permissions (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX file_permissions_granted_by_index ON public.file_permissions (granted_by);

CREATE TRIGGER project_milestones_set_updated_at BEFORE UPDATE ON public.project_milestones
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER files_set_updated_at BEFORE UPDATE ON public.files
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.project_members, public.project_milestones, public.files, public.file_permissions
    TO {{ application_role }};
GRANT SELECT
    ON public.project_members, public.project_milestones, public.files, public.file_permissions
    TO {{ readonly_role }};
