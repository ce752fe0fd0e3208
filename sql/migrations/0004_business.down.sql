-- Takes back 0004 business.
-- squawk-ignore-file ban-drop-table

DROP TABLE public.portfolio_items;
DROP TABLE public.portfolios;
DROP TABLE public.client_requests;
DROP TABLE public.service_packages;
DROP TABLE public.time_entries;
DROP TABLE public.invoices;
