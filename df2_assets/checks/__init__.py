"""The rules of checks: functions from tables and files to findings, without Dagster."""
