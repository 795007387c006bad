"""The definitions over two small splits, on an instance that keeps the history of runs."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import dagster as dg

from df2_assets.checks.registry import CHECKS, OPTIONAL_ASSETS
from df2_assets.definitions import build_defs
from df2_assets.settings import Settings
from df2_assets_tests.checks import clean
from df2_assets_tests.support.builder import DataSet
from df2_assets_tests.support.site import QUIET, touch

SPLIT, OTHER = "train", "validation"
OF_BUILD = {(check.asset, check.name) for check in CHECKS if check.asset not in OPTIONAL_ASSETS}
"""The checks of `build_dataset`; those of `crop_quality` and of exports go with their assets."""

SPECS: Final = {
    spec.key.path[-1]: spec for spec in build_defs(Settings()).resolve_all_asset_specs()
}
"""The specs of the assets of the default location, by name."""


class Platform:
    """A data set with its definitions: runs of jobs and assets, and changes to the input."""

    def __init__(self, base: Path, instance: dg.DagsterInstance, **settings: Any) -> None:
        self.data = DataSet(base / "df2")
        for split in (SPLIT, OTHER):
            clean.write(self.data, split, looks=2)
        self.settings = Settings(
            df2_root=self.data.root,
            sku_root=str(base / "sku"),
            splits=(SPLIT, OTHER),
            workers=1,
            **settings,
        )
        self.instance = instance
        self.defs = build_defs(self.settings)

    def give_prompts(self, text: str) -> None:
        """Write a file of templates, to which DF2_PROMPTS is set from then on."""
        path = self.data.root.with_name("prompts.yaml")
        path.write_text(text)
        if self.settings.prompts is None:
            self.settings = dataclasses.replace(self.settings, prompts=path)
            self.defs = build_defs(self.settings)

    def run(
        self, job: str, split: str | None = SPLIT, *, config: dict[str, Any] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run a job for a split."""
        return self.defs.resolve_job_def(job).execute_in_process(
            run_config=QUIET | (config or {}),
            instance=self.instance,
            partition_key=split,
            raise_on_error=False,
        )

    def build(self, split: str = SPLIT) -> None:
        assert self.run("build_dataset", split).success

    def observe(self) -> None:
        assert self.run("observe_sources", None).success

    def materialize(self, split: str | None, assets: Iterable[str]) -> dg.ExecuteInProcessResult:
        """Materialize some assets with their checks, as from the UI."""
        return self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
            run_config=QUIET,
            instance=self.instance,
            partition_key=split,
            asset_selection=[dg.AssetKey(asset) for asset in assets],
            raise_on_error=False,
        )

    def file(self, split: str = SPLIT) -> Path:
        """Return the path of the first annotation of the split."""
        return min((self.data.root / split / "annos").iterdir())

    def touch(self, split: str = SPLIT) -> None:
        """Change the data version of the source, but nothing that is built from it."""
        touch(self.file(split))

    def relabel(self, split: str = SPLIT) -> None:
        """Change a label, and so every asset but the crops."""
        path = self.file(split)
        text = path.read_text()
        assert '"occlusion": 1' in text
        path.write_text(text.replace('"occlusion": 1', '"occlusion": 2', 1))
        touch(path)

    def reframe(self, split: str = SPLIT) -> None:
        """Change every box, and so the crops."""
        for path in (self.data.root / split / "annos").iterdir():
            annotation = json.loads(path.read_text())
            for key, item in annotation.items():
                if key.startswith("item"):
                    item["bounding_box"][3] -= 1
            path.write_text(json.dumps(annotation))
            touch(path)

    def spoil(self, split: str = SPLIT, images: Iterable[int] = (901, 902, 903)) -> None:
        """Add unreadable annotations, more than the limit of refusals allows."""
        for image in images:
            self.data.raw_annotation(split, image, b"{")


def events(result: dg.ExecuteInProcessResult) -> set[str]:
    """Return the types of the events of a run."""
    return {str(event.event_type_value) for event in result.all_events}


def made(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetMaterialization]:
    """Return the materializations of a run, by asset."""
    return {
        event.asset_key.path[-1]: event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }


def evaluations(
    result: dg.ExecuteInProcessResult, split: str = SPLIT
) -> Mapping[tuple[str, str], dg.AssetCheckEvaluation]:
    """Return the evaluations of a run for a split, by asset and check."""
    found = [e for e in result.get_asset_check_evaluations() if e.partition == split]
    evaluated = {(e.asset_key.path[-1], e.check_name): e for e in found}
    assert len(evaluated) == len(found)
    return evaluated


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Return the root cause of a failed run."""
    assert not result.success
    errors = [
        error
        for event in result.all_events
        if event.is_failure
        if (error := getattr(event.event_specific_data, "error", None)) is not None
    ]
    error = errors[0]
    while error.cause is not None:
        error = error.cause
    return str(error.message.strip())
