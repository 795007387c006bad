"""The Dagster code, one module per concept: assets, checks, jobs, schedules, sensors, resources.

Outside this package only `definitions`, `component` and `cli` import Dagster.
"""
