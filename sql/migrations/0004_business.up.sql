-- 0004 business: invoices and hours, what the studio offers and is asked for, and the portfolios it shows.
-- The rules of 0001 apply.

CREATE TABLE public.invoices (
    id                       text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    invoice_number           text        NOT NULL,
    organization_id          text        COLLATE "C" NOT NULL,
    client_id                text        COLLATE "C" NOT NULL,
    project_id               text        COLLATE "C",
    amount                   numeric     NOT NULL,
    tax_amount               numeric     DEFAULT 0,
    total_amount             numeric     NOT NULL,
    currency                 text        DEFAULT 'USD',
    status                   text        NOT NULL DEFAULT 'draft',
    due_date                 date,
    paid_at                  timestamptz,
    stripe_invoice_id        text        COLLATE "C",
    stripe_payment_intent_id text        COLLATE "C",
    line_items               jsonb       NOT NULL,
    notes                    text,
    created_at               timestamptz DEFAULT now(),
    updated_at               timestamptz DEFAULT now(),
    CONSTRAINT invoices_pkey PRIMARY KEY (id),
    CONSTRAINT invoices_invoice_number_key UNIQUE (invoice_number),
    CONSTRAINT invoices_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES public.organizations (id),
    CONSTRAINT invoices_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.users (id),
    CONSTRAINT invoices_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects (id),
    CONSTRAINT invoices_status_check CHECK (status IN ('draft', 'sent', 'paid', 'overdue', 'cancelled'))
);

CREATE TABLE public.time_entries (
    id               text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    user_id          text        COLLATE "C" NOT NULL,
    project_id       text        COLLATE "C" NOT NULL,
    task_description text        NOT NULL,
    hours            numeric     NOT NULL,
    billable         boolean     DEFAULT true,
    hourly_rate      numeric,
    date             date        NOT NULL,
    start_time       time,
    end_time         time,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    CONSTRAINT time_entries_pkey PRIMARY KEY (id),
    CONSTRAINT time_entries_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id),
    CONSTRAINT time_entries_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects (id)
);

CREATE TABLE public.service_packages (
    id               text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name             text        NOT NULL,
    slug             text        NOT NULL,
    description      text,
    service_category text        NOT NULL,
    service_tier     text        NOT NULL,
    base_price       numeric     NOT NULL,
    estimated_hours  integer,
    deliverables     jsonb       NOT NULL,
    inclusions       jsonb       DEFAULT '[]',
    exclusions       jsonb       DEFAULT '[]',
    is_active        boolean     DEFAULT true,
    created_at       timestamptz DEFAULT now(),
    updated_at       timestamptz DEFAULT now(),
    CONSTRAINT service_packages_pkey PRIMARY KEY (id),
    CONSTRAINT service_packages_slug_key UNIQUE (slug)
);

CREATE TABLE public.client_requests (
    id                  text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    name                text        NOT NULL,
    email               text        NOT NULL,
    phone               text,
    organization_name   text,
    ensemble_type       text        NOT NULL,
    service_category    text        NOT NULL,
    service_tier        text,
    project_description text,
    budget_range        text,
    timeline            text,
    status              text        NOT NULL DEFAULT 'new',
    assigned_to         text        COLLATE "C",
    notes               text,
    metadata            jsonb       DEFAULT '{}',
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now(),
    CONSTRAINT client_requests_pkey PRIMARY KEY (id),
    CONSTRAINT client_requests_assigned_to_fkey FOREIGN KEY (assigned_to) REFERENCES public.users (id),
    CONSTRAINT client_requests_status_check CHECK (status IN ('new', 'contacted', 'quoted', 'converted', 'declined'))
);

CREATE TABLE public.portfolios (
    id              text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    user_id         text        COLLATE "C" NOT NULL,
    title           text        NOT NULL,
    description     text,
    is_public       boolean     DEFAULT true,
    cover_image_url text,
    settings        jsonb       DEFAULT '{}',
    created_at      timestamptz DEFAULT now(),
    updated_at      timestamptz DEFAULT now(),
    CONSTRAINT portfolios_pkey PRIMARY KEY (id),
    CONSTRAINT portfolios_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
);

CREATE TABLE public.portfolio_items (
    id           text        COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
    portfolio_id text        COLLATE "C" NOT NULL,
    project_id   text        COLLATE "C",
    title        text        NOT NULL,
    description  text,
    image_url    text,
    category     text,
    tags         text[]      DEFAULT '{}',
    order_index  integer     NOT NULL DEFAULT 0,
    is_featured  boolean     DEFAULT false,
    created_at   timestamptz DEFAULT now(),
    CONSTRAINT portfolio_items_pkey PRIMARY KEY (id),
    CONSTRAINT portfolio_items_portfolio_id_fkey
        FOREIGN KEY (portfolio_id) REFERENCES public.portfolios (id) ON DELETE CASCADE,
    CONSTRAINT portfolio_items_project_id_fkey FOREIGN KEY (project_id) REFERENCES public.projects (id)
);

-- The next number of a month is found by its prefix (LIKE 'FS-202601-%'); the unique index cannot answer that unless
-- the database sorts by bytes. A payment reports back under its intent.
CREATE INDEX invoices_invoice_number_prefix_index ON public.invoices (invoice_number text_pattern_ops);
CREATE INDEX invoices_stripe_payment_intent_id_index
    ON public.invoices (stripe_payment_intent_id) WHERE stripe_payment_intent_id IS NOT NULL;
CREATE INDEX invoices_organization_id_index ON public.invoices (organization_id);
CREATE INDEX invoices_client_id_index ON public.invoices (client_id);
CREATE INDEX invoices_project_id_index ON public.invoices (project_id) WHERE project_id IS NOT NULL;

CREATE INDEX time_entries_user_id_index ON public.time_entries (user_id);
CREATE INDEX time_entries_project_id_index ON public.time_entries (project_id);

CREATE INDEX client_requests_assigned_to_index ON public.client_requests (assigned_to) WHERE assigned_to IS NOT NULL;

CREATE INDEX portfolios_user_id_index ON public.portfolios (user_id);

CREATE INDEX portfolio_items_portfolio_id_index ON public.portfolio_items (portfolio_id);
CREATE INDEX portfolio_items_project_id_index ON public.portfolio_items (project_id) WHERE project_id IS NOT NULL;

CREATE TRIGGER invoices_set_updated_at BEFORE UPDATE ON public.invoices
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER time_entries_set_updated_at BEFORE UPDATE ON public.time_entries
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER service_packages_set_updated_at BEFORE UPDATE ON public.service_packages
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER client_requests_set_updated_at BEFORE UPDATE ON public.client_requests
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();
CREATE TRIGGER portfolios_set_updated_at BEFORE UPDATE ON public.portfolios
    FOR EACH ROW WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION public.set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.invoices, public.time_entries, public.service_packages, public.client_requests, public.portfolios,
        public.portfolio_items
    TO {{ application_role }};
GRANT SELECT
    ON public.invoices, public.time_entries, public.service_packages, public.client_requests, public.portfolios,
        public.portfolio_items
    TO {{ readonly_role }};
