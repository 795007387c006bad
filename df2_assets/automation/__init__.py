"""What runs by itself, once somebody turns it on: schedules, sensors, conditions."""

from df2_assets.automation.schedules import schedules
from df2_assets.automation.sensors import sensors

__all__ = ["schedules", "sensors"]
