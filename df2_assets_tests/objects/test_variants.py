"""Crop variants in a bucket: the same files as in a folder, kept and removed in the same way."""

from pathlib import Path

from df2_assets.dataset.variants import CropVariant
from df2_assets.engines.local import LocalEngine
from df2_assets.engines.progress import silent
from df2_assets.pipeline.variants import MadeVariants, make_variants
from df2_assets.settings import make_roots
from df2_assets.store import tables
from df2_assets.store.layout import Roots
from df2_assets.store.lock import writer
from df2_assets.store.variants import list_names, list_variants, read_variant
from df2_assets.verification.verify import verify
from df2_assets_tests.objects.conftest import Source
from df2_assets_tests.objects.outputs import in_folder
from df2_assets_tests.support.object_store import Place
from df2_assets_tests.support.run import build

SPLIT = "train"
SQUARE = CropVariant("square", square="pad", size=48, format="webp")
CUT_OUT = CropVariant("cut", cut_out="alpha", format="png")


def make(roots: Roots, *declared: CropVariant) -> MadeVariants:
    groups = tables.frame(tables.read(roots, "sku_groups", SPLIT))
    manifest = tables.read(roots, "crops", SPLIT)
    with writer(roots, SPLIT, "a test"):
        return make_variants(roots, SPLIT, declared, groups, manifest, LocalEngine(2), silent)


def files(contents: dict[str, bytes]) -> dict[str, bytes]:
    start = "_df2_assets/variants/"
    return {name: data for name, data in contents.items() if name.startswith(start)}


def test_variants_have_the_same_bytes_in_a_bucket_and_are_kept_and_removed(
    source: Source, place: Place, tmp_path: Path
) -> None:
    local = make_roots(str(source.folder), str(tmp_path / "sku"))
    remote = make_roots(str(source.url), place.url)
    for df2_root, sku_root, roots in (
        (source.folder, tmp_path / "sku", local),
        (source.url, place.root, remote),
    ):
        assert build(df2_root, sku_root).problems == []
        make(roots, SQUARE, CUT_OUT)
    expected = files(in_folder(tmp_path / "sku"))
    assert len(expected) > 100
    assert files(place.contents()) == expected
    assert list_variants(remote, SPLIT) == ["cut", "square"]
    manifests = [read_variant(roots, SPLIT, "cut") for roots in (local, remote)]
    assert tables.digest(manifests[0]) == tables.digest(manifests[1])
    again = make(remote, SQUARE, CUT_OUT)
    assert (again.images_decoded, str(again.changes)) == (0, "Nothing changed.")
    checked = verify(remote, SPLIT, LocalEngine(2))
    assert checked.problems == []

    removed = make(remote, SQUARE).removed
    assert {*removed["cut"]} == {name for name in expected if "/variants/cut/" in name}
    left = {name: data for name, data in expected.items() if "/variants/square/" in name}
    assert files(place.contents()) == left
    assert list_names(remote, SPLIT) == ["square"]
