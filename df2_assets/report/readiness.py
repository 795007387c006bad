"""Readiness of a split for retrieval: queries, their answers, and leaks between splits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from df2_assets.checks.crop_quality import ACROSS_SPLITS
from df2_assets.checks.finding import number_of
from df2_assets.dataset.skus import KEY, candidates, count_unpaired, find_paired
from df2_assets.dataset.taxonomy import LABELS, NOT_GIVEN

CEILING_KS: Final = (1, 5, 10)
"""The lengths K of the ranked lists for which there is a text ceiling."""

_MOST: Final = 20


@dataclass(frozen=True)
class Readiness:
    """What makes a split fit for retrieval, or unfit.

    - `numbers`: figures with stable names, for plots over time.
    - `prompts`: the texts that most SKUs share, with the numbers of `skus` and `crops`.
    - `ceilings`: one row per `key` of the JSONL that has prompts, with its number of different
      `prompts`, `skus_per_prompt`, and the text ceiling `@1`, `@5`, `@10` (`compute_ceiling`).
    - `balance`: one row per label (`kind`, `label`), with its share among `catalog` and `query`
      crops, 0 to 1.
    - `leaks`: rows of `pairs_alike` with crops of other splits.
    - `not_compared`: the other splits whose crops have not been measured. As long as there are any,
      `numbers` never says that no crops leak.
    """

    numbers: dict[str, int | float]
    prompts: pd.DataFrame
    ceilings: pd.DataFrame
    balance: pd.DataFrame
    leaks: pd.DataFrame
    not_compared: tuple[str, ...] = ()

    @property
    def leaking_crops(self) -> int:
        """The number of crops whose picture is also in another split, among those compared."""
        return int(self.leaks["crop_path"].nunique())


def assess_readiness(
    index: pd.DataFrame,
    crops: pd.DataFrame,
    texts: pd.DataFrame,
    alike: pd.DataFrame,
    not_compared: Sequence[str] = (),
) -> Readiness:
    """Assess the crops of a split as a retrieval benchmark.

    `index` is `raw_annotation_index`, `crops` are the rows of `sku_groups` whose crops are on disk
    (of which only those of SKUs with both domains are assessed), `texts` has one row per crop with
    `sku_id`, `domain`, `text`, and a column per further prompt, and `alike` comes from
    `pairs_alike`.
    """
    unpaired = count_unpaired(crops)
    crops = crops[find_paired(crops[["sku_id"]], crops["domain"])]
    texts = texts[texts["sku_id"].isin(crops["sku_id"])]
    query, catalog = (
        crops[crops["domain"] == domain].groupby("sku_id").size() for domain in ("query", "catalog")
    )
    leaks = alike[alike["kind"] == ACROSS_SPLITS].reset_index(drop=True)
    unanswered, unasked = _count_unpaired(index, crops)
    prompts = _count_prompts(texts)
    ceilings = _compute_ceilings(texts)
    balance = _compute_balance(crops)
    skus = crops["sku_id"].nunique()
    numbers: dict[str, int | float] = {
        "paired_skus": int(skus),
        "unpaired_skus": unpaired,
        "queries": int(query.sum()),
        "queries_without_answer": unanswered,
        "catalog_without_query": unasked,
        "answers_per_query": _mean(catalog.reindex(query.index).mul(query).sum(), query.sum()),
        "prompts": len(prompts),
        "skus_per_prompt": _mean(prompts["skus"].sum(), len(prompts)),
        **{f"text_ceiling@{k}": float(ceilings[f"@{k}"].iloc[0]) for k in CEILING_KS},
    }
    numbers |= {f"{kind}_gap": _compute_gap(balance, kind) for kind in LABELS}
    ready = Readiness(numbers, prompts.head(_MOST), ceilings, balance, leaks, tuple(not_compared))
    if ready.leaking_crops or not not_compared:
        numbers["leaking_crops"] = ready.leaking_crops
    return ready


def describe_verdict(ready: Readiness, states: Mapping[str, int]) -> str:
    """Say in a sentence or two whether a split is ready for retrieval, and why not.

    `states` has the number of checks that passed, warned and failed.
    """
    skus, queries = int(ready.numbers["paired_skus"]), int(ready.numbers["queries"])
    if not skus:
        return "No: no SKU has both a catalog and a query crop."
    use = f"{number_of(queries, 'query', 'queries')} of {number_of(skus, 'SKU')} can be answered"
    problems = {
        f"{number_of(states['failed'], 'check')} failed": states["failed"],
        f"{number_of(ready.leaking_crops, 'crop')} with a picture that another split has": (
            ready.leaking_crops
        ),
    }
    others = ready.not_compared
    unknown = {f"it is not compared with {' and '.join(others)}": len(others)}
    doubts = {f"{number_of(states['warned'], 'check')} warned": states["warned"]}
    answers = {"Not yet": problems, "Not known yet": unknown, "Yes, with doubts": doubts}
    answer = next((answer for answer, why in answers.items() if any(why.values())), "Yes")
    why = [text for text, count in (problems | unknown | doubts).items() if count]
    if not why:
        why = ["no picture is in another split", f"all {sum(states.values())} checks passed"]
    return f"{answer}: {', '.join(why)}. {use}."


def _count_unpaired(index: pd.DataFrame, crops: pd.DataFrame) -> tuple[int, int]:
    """Return the numbers of usable user and shop items with a style that are in no SKU."""
    rows = candidates(index)
    keys = crops[KEY].drop_duplicates()
    joined = rows.merge(keys, on=KEY, how="left", indicator=True)
    alone = joined["domain"][(joined["_merge"] == "left_only").to_numpy()]
    return int((alone == "query").sum()), int((alone == "catalog").sum())


def compute_ceiling(texts: pd.DataFrame, key: str, k: int) -> float:
    """Return the best recall@k, 0 to 1, that any model can reach from the texts of `key` to SKUs.

    Every query crop asks with its text, and is answered if its SKU is among the first k SKUs of the
    model's ranking. A model sees only the text, so that query crops with equal texts get the same
    ranking. The best one begins with the SKUs that have the most of these crops. Hence the ceiling
    is the sum, over texts, of the k largest numbers of query crops per SKU, divided by the number
    of query crops. Crops without a text are left out.

    It counts query crops, not different texts, so that it can be compared with the recall of any
    model on the same queries.
    """
    queries = texts[texts["domain"] == "query"].dropna(subset=[key])
    counts = queries.groupby([key, "sku_id"]).size().sort_values(ascending=False)
    answered = counts.groupby(level=0).head(k).sum()
    return round(float(answered) / len(queries), 4) if len(queries) else 0.0


def _compute_ceilings(texts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per key with prompts, `text` first, as `Readiness.ceilings` has them."""
    keys = ["text", *texts.columns.drop(["sku_id", "domain", "text"])]
    prompts = [_count_prompts(texts, key) for key in keys]
    counts = {
        "key": keys,
        "prompts": list(map(len, prompts)),
        "skus_per_prompt": [_mean(each["skus"].sum(), len(each)) for each in prompts],
    }
    ceilings = {f"@{k}": [compute_ceiling(texts, key, k) for key in keys] for k in CEILING_KS}
    return pd.DataFrame(counts | ceilings)


def _count_prompts(texts: pd.DataFrame, key: str = "text") -> pd.DataFrame:
    """Return each text with its numbers of SKUs and crops, the most shared text first."""
    counts = texts.groupby(key).agg(skus=("sku_id", "nunique"), crops=("sku_id", "size"))
    return counts.reset_index().sort_values(["skus", key], ascending=[False, True])


def _compute_balance(crops: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each label among catalog and among query crops, 0 to 1."""
    parts = []
    for kind, meanings in LABELS.items():
        labels = meanings | ({0: NOT_GIVEN} if crops[kind].isna().any() else {})
        values = crops[kind].fillna(0)
        counts = crops.groupby([values, "domain"]).size().unstack("domain", fill_value=0)
        counts = counts.reindex(index=list(labels), columns=["catalog", "query"], fill_value=0)
        shares = (counts / counts.sum().clip(lower=1)).astype(float).reset_index(drop=True)
        parts.append(shares.assign(kind=kind, label=list(labels.values())))
    return pd.concat(parts, ignore_index=True)[["kind", "label", "catalog", "query"]]


def _compute_gap(balance: pd.DataFrame, kind: str) -> float:
    """Return the share of crops that would need another label for the domains to agree, 0 to 1."""
    rows = balance[balance["kind"] == kind]
    return round(float((rows["catalog"] - rows["query"]).abs().sum()) / 2, 4)


def _mean(total: float, count: float) -> float:
    return round(float(total) / float(count), 2) if count else 0.0
