"""Everything that Dagster sees, one module per concept. Nothing else imports Dagster but `cli`."""
