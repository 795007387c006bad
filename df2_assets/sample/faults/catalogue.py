"""All faults, by name."""

from typing import Final

from df2_assets.sample.faults.fault import Fault
from df2_assets.sample.faults.files import FILE_FAULTS
from df2_assets.sample.faults.items import ITEM_FAULTS, PAST_EDGE
from df2_assets.sample.faults.looks import LOOKS_FAULTS, SAVED_AGAIN
from df2_assets.sample.faults.oddities import ODDITIES

IN_EACH_SPLIT: Final[tuple[Fault, ...]] = (
    *FILE_FAULTS,
    *ITEM_FAULTS,
    *LOOKS_FAULTS,
    *ODDITIES,
)
FAULTS: Final = {fault.name: fault for fault in (*IN_EACH_SPLIT, PAST_EDGE, SAVED_AGAIN)}
