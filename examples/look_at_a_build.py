"""A build from Python, and a look at it with pandas: a notebook as a script, `# %%` is a cell.

DF2_ROOT and SKU_ROOT in the environment say where the data set is; or give both to each function.
"""

# %% What would a build do?
import df2_assets

SPLITS = ("train", "validation")
for split, plan in df2_assets.plan(splits=SPLITS).items():
    print(f"{split}: {plan.crops_to_make} crops to make, about {plan.takes.seconds:.0f} s")

# %% Build. What has not changed is not done again.
built = df2_assets.build(splits=SPLITS)
for split, result in built.items():
    print(f"{split}: {result.skus} SKUs, {result.crops} crops, {result.refused} refused")

# %% What did the checks say? `offenders` is a DataFrame with all of them.
for split, result in built.items():
    for check in result.warnings:
        print(f"{split}: {check.asset}: {check.name}: {check.summary}")
        print(check.offenders.head())

# %% One row per crop; ids are texts.
crops = df2_assets.read_image_text(built["train"].image_text.parent, "train")
print(crops.groupby(["category_name", "domain"]).size().unstack(fill_value=0))

# %% Why is a crop in the data set?
for answer in df2_assets.explain(crops["image_path"].iloc[0]):
    for step in answer.steps:
        print(f"{step.stage:<22}{step.said}")

# %% Is everything on disk as it was built?
for split, verified in df2_assets.verify(splits=SPLITS).items():
    print(f"{split}: {'all is well' if verified.ok else verified.problems}")
