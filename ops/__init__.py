"""What people and schedules do to FluxStudio's database: plain functions with typed inputs and results."""
