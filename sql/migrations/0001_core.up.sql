-- 0001 core: people, the organizations and teams they belong to, and the projects they work on.
--
-- The rules of these files, written once here:
--   * Ids, and every column that holds one, are text COLLATE "C": FluxStudio's files hold UUIDs, milliseconds and
--     slugs, and its tokens and URLs carry them as they are. Byte order is also how the tool orders rows to compare.
--   * Text has no length limit and numeric no scale, because the file store had none and a load must not cut.
--   * A closed vocabulary is a CHECK. Defaults serve new rows; a load states every column.
--   * Every foreign key leads an index, or deleting its parent scans the child. Where the column may be null, the index
--     holds only the rows that refer to something. All other indexes serve a query of the application, named beside it.

CREATE TABLE public.users (
    id             text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    email          text        NOT NULL,
    name           text        NOT NULL,
    password_hash  text,
    user_type      text        NOT NULL,
    avatar_url     text,
    phone          text,
    timezone       text,
    preferences    jsonb       DEFAULT '{}',
    oauth_provider text,
    oauth_id       text        COLLATE "C",
    email_verified boolean     DEFAULT false,
    is_active      boolean     DEFAULT true,
    last_login     timestamptz,
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_user_type_check CHECK (user_type IN ('client', 'designer', 'admin'))
);

CREATE TABLE public.organizations (
    id                  text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name                text        NOT NULL,
    slug                text        NOT NULL,
    description         text,
    type                text        NOT NULL,
    location            text,
    contact_email       text,
    contact_phone       text,
    website             text,
    logo_url            text,
    settings            jsonb       DEFAULT '{}',
    subscription_tier   text        DEFAULT 'free',
    subscription_status text        DEFAULT 'active',
    billing_email       text,
    stripe_customer_id  text        COLLATE "C",
    created_by          text        COLLATE "C" NOT NULL,
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (id),
    CONSTRAINT organizations_slug_key UNIQUE (slug),
    CONSTRAINT organizations_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users (id)
);

CREATE TABLE public.organization_members (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    organization_id text        COLLATE "C" NOT NULL,
    user_id         text        COLLATE "C" NOT NULL,
    role            text        NOT NULL,
    permissions     jsonb       DEFAULT '[]',
    invited_by      text        COLLATE "C",
    joined_at       timestamptz DEFAULT now(),
    is_active       boolean     DEFAULT true,
    CONSTRAINT organization_members_pkey PRIMARY KEY (id),
    CONSTRAINT organization_members_organization_id_user_id_key UNIQUE (organization_id, user_id),
    CONSTRAINT organization_members_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES public.organizations (id) ON DELETE CASCADE,
    CONSTRAINT organization_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT organization_members_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES public.users (id),
    CONSTRAINT organization_members_role_check CHECK (role IN ('owner', 'admin', 'member'))
);

CREATE TABLE public.teams (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name            text        NOT NULL,
    description     text,
    slug            text        NOT NULL,
    organization_id text        COLLATE "C" NOT NULL,
    lead_id         text        COLLATE "C",
    settings        jsonb       DEFAULT '{}',
    is_private      boolean     DEFAULT false,
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    CONSTRAINT teams_pkey PRIMARY KEY (id),
    CONSTRAINT teams_organization_id_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT teams_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES public.organizations (id) ON DELETE CASCADE,
    CONSTRAINT teams_lead_id_fkey FOREIGN KEY (lead_id) REFERENCES public.users (id)
);

CREATE TABLE public.team_members (
    id          text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    team_id     text        COLLATE "C" NOT NULL,
    user_id     text        COLLATE "C" NOT NULL,
    role        text        NOT NULL,
    permissions jsonb       DEFAULT '[]',
    joined_at   timestamptz DEFAULT now(),
    is_active   boolean     DEFAULT true,
    CONSTRAINT team_members_pkey PRIMARY KEY (id),
    CONSTRAINT team_members_team_id_user_id_key UNIQUE (team_id, user_id),
    CONSTRAINT team_members_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams (id) ON DELETE CASCADE,
    CONSTRAINT team_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
    CONSTRAINT team_members_role_check CHECK (role IN ('lead', 'member', 'viewer'))
);

CREATE TABLE public.projects (
    id               text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name             text        NOT NULL,
    description      text,
    slug             text        NOT NULL,
    organization_id  text        COLLATE "C" NOT NULL,
    team_id          text        COLLATE "C",
    manager_id       text        COLLATE "C" NOT NULL,
    client_id        text        COLLATE "C",
    status           text        NOT NULL DEFAULT 'planning',
    priority         text        NOT NULL DEFAULT 'medium',
    project_type     text        NOT NULL,
    service_category text        NOT NULL,
    service_tier     text        NOT NULL,
    ensemble_type    text        NOT NULL,
    budget           numeric,
    estimated_hours  integer,
    actual_hours     integer     DEFAULT 0,
    start_date       date,
    due_date         date,
    completion_date  date,
    metadata         jsonb       DEFAULT '{}',
    settings         jsonb       DEFAULT '{}',
    tags             text[]      DEFAULT '{}',
    is_template      boolean     DEFAULT false,
    template_id      text        COLLATE "C",
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    CONSTRAINT projects_pkey PRIMARY KEY (id),
    CONSTRAINT projects_organization_id_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT projects_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES public.organizations (id) ON DELETE CASCADE,
    CONSTRAINT projects_team_id_fkey FOREIGN KEY (team_id) REFERENCES public.teams (id),
    CONSTRAINT projects_manager_id_fkey FOREIGN KEY (manager_id) REFERENCES public.users (id),
    CONSTRAINT projects_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.users (id),
    CONSTRAINT projects_template_id_fkey FOREIGN KEY (template_id) REFERENCES public.projects (id),
    CONSTRAINT projects_status_check
        CHECK (status IN ('planning', 'active', 'on-hold', 'completed', 'cancelled')),
    CONSTRAINT projects_priority_check CHECK (priority IN ('low', 'medium', 'high', 'urgent'))
);

-- Sign-in through another service finds its user by that service's own id.
CREATE INDEX users_oauth_index ON public.users (oauth_provider, oauth_id);

CREATE INDEX organizations_created_by_index ON public.organizations (created_by);

-- The organizations of a user; the unique pair above serves the members of an organization.
CREATE INDEX organization_members_user_id_index ON public.organization_members (user_id);
CREATE INDEX organization_members_invited_by_index
    ON public.organization_members (invited_by) WHERE invited_by IS NOT NULL;

CREATE INDEX teams_lead_id_index ON public.teams (lead_id) WHERE lead_id IS NOT NULL;

-- The teams of a user; the unique pair above serves the members of a team.
CREATE INDEX team_members_user_id_index ON public.team_members (user_id);

-- The project list of an organization, by status and newest first; and the later list by last change.
CREATE INDEX projects_organization_id_status_index ON public.projects (organization_id, status, created_at DESC);
CREATE INDEX projects_updated_at_index ON public.projects (updated_at DESC);
CREATE INDEX projects_manager_id_index ON public.projects (manager_id);
CREATE INDEX projects_team_id_index ON public.projects (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX projects_client_id_index ON public.projects (client_id) WHERE client_id IS NOT NULL;
CREATE INDEX projects_template_id_index ON public.projects (template_id) WHERE template_id IS NOT NULL;

-- Stamps a row that is changed. The triggers that call it do so only when the statement left updated_at alone, so that
-- a load can bring the times of its source and the application need not think of it.
CREATE FUNCTION public.set_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $body$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$body$;

CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON public.users
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER organizations_set_updated_at BEFORE UPDATE ON public.organizations
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER teams_set_updated_at BEFORE UPDATE ON public.teams
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER projects_set_updated_at BEFORE UPDATE ON public.projects
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.users, public.organizations, public.organization_members, public.teams, public.team_members,
        public.projects
    TO {{ application_role }};

-- Reports may see who a user is, never what the password was hashed to.
GRANT SELECT (
    id, email, name, user_type, avatar_url, phone, timezone, preferences, oauth_provider, oauth_id, email_verified,
    is_active, last_login, created_at, updated_at
) ON public.users TO {{ readonly_role }};
GRANT SELECT
    ON public.organizations, public.organization_members, public.teams, public.team_members, public.projects
    TO {{ readonly_role }};
