"""How findings are stored: every offender, with its identity across splits."""

import pandas as pd

from df2_assets.checks.finding import Finding, crop_rows, read_offenders, record_finding
from df2_assets.store.layout import Roots


def stored(roots: Roots, offenders: pd.DataFrame) -> pd.DataFrame:
    """Return offenders of validation as they are stored."""
    record_finding(Finding(False, "warn", 3, "", offenders), roots, "crops", "a", "validation")
    read = read_offenders(roots, "crops", "a", "validation")
    assert read is not None
    return read


def test_offenders_of_a_sku_are_stored_with_its_identity_across_splits(roots: Roots) -> None:
    crop = "validation/query/000001_01_08/000003_item8.jpg"
    offenders = crop_rows([crop, "validation/query/notes.txt"])
    offenders = pd.concat([offenders, offenders[:1].assign(sku_id="")], ignore_index=True)
    read = stored(roots, offenders)
    uids = ["validation/000001_01_08", None, None]
    assert [None if pd.isna(uid) else uid for uid in read["sku_uid"]] == uids
    assert [*read][1:3] == ["sku_id", "sku_uid"]
    assert "sku_uid" not in offenders


def test_offenders_that_are_of_no_sku_are_stored_as_they_are(roots: Roots) -> None:
    offenders = pd.DataFrame({"image_id": ["000001"], "what": ["no annotation"]})
    assert [*stored(roots, offenders)] == [*offenders]
