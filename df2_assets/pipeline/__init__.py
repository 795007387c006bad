"""The steps of a build: index, plan, cut, publish. They use an engine and a store, not Dagster."""
