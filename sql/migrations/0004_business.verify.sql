-- Proves that 0004 business is in place as promised.
{% set tables = [
    "public.invoices", "public.time_entries", "public.service_packages", "public.client_requests", "public.portfolios",
    "public.portfolio_items",
] %}
{% set stamped = [
    "public.invoices", "public.time_entries", "public.service_packages", "public.client_requests", "public.portfolios",
] %}
{% set granted = tables %}
{% include "checks/tables.sql" %}
