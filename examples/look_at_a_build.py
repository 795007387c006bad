"""A build in Python and its result in pandas: a notebook as a script, with cells at `# %%`.

Set DF2_ROOT and SKU_ROOT in the environment, or pass both to each function.
"""

# %% What would a build do?
import df2_assets

SPLITS = ("train", "validation")
for split, plan in df2_assets.plan(splits=SPLITS).items():
    print(f"{split}: {plan.crops_to_make} crops to make, about {plan.takes.seconds:.0f} s")

# %% Build. Unchanged files are kept.
built = df2_assets.build(splits=SPLITS)
for split, result in built.items():
    print(f"{split}: {result.skus} SKUs, {result.crops} crops, {result.refused} refused")

# %% What did the checks find? `offenders` is a DataFrame with all offenders.
for split, result in built.items():
    for check in result.warnings:
        print(f"{split}: {check.asset}: {check.name}: {check.summary}")
        print(check.offenders.head())

# %% One row per crop. Ids are strings.
crops = df2_assets.read_image_text(built["train"].image_text.parent, "train")
print(crops.groupby(["category_name", "domain"]).size().unstack(fill_value=0))

# %% Why is a crop in the data set?
for answer in df2_assets.explain(crops["image_path"].iloc[0]):
    for step in answer.steps:
        print(f"{step.stage:<22}{step.text}")

# %% Are all files on disk as they were built?
for split, verified in df2_assets.verify(splits=SPLITS).items():
    print(f"{split}: {'no problems' if verified.ok else verified.problems}")
