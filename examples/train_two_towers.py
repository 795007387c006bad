"""Train a small CLIP-like model on a build, and measure its retrieval from query to catalog.

    df2-assets export webdataset
    python examples/train_two_towers.py data/DeepFashion2_SKU

An image tower and a text tower are trained from scratch on the train split. In a batch of images, a
query crop has to find a catalog crop of its SKU. In a batch of prompts, each crop has to find its
prompt: equal prompts are of one SKU (DistinctTextBatchSampler), and all of them are correct
(compute_targets). With --random-texts, the prompts are those of random crops, and only a crop's own
one is correct, as in CLIP. Then each query crop of validation, which the model has never seen, has
to find its SKU among all catalog crops of validation, by its image and by its prompt. At the end
the model is evaluated with the metrics of `df2-assets evaluate`. The shards of the `webdataset`
export are read if they exist, otherwise the crops.
"""

import argparse
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from df2_assets.retrieval.metrics import METRICS, recall_at
from df2_assets.retrieval.search import Ranks, rank
from df2_assets.torch import (
    DeepFashion2ImageTextDataset,
    DistinctTextBatchSampler,
    compute_targets,
)

SIDE = 64
WIDTH = 128
WORDS = 512
KS = (1, 5, 10)
SEEDS = range(5)


class Crops(NamedTuple):
    """A split in memory. `images` is uint8 (N, 3, 64, 64), `words` is (N, L), padded with 0."""

    images: Tensor
    texts: list[str]
    words: Tensor
    sku: Tensor
    is_query: Tensor


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("sku_root", type=Path, help="the result of df2-assets build (SKU_ROOT)")
    options.add_argument("--steps", type=int, default=300, help="300 take a minute on 2 cores")
    options.add_argument("--skus", type=int, default=48, help="the most SKUs per batch")
    options.add_argument("--texts", type=int, default=32, help="prompts per batch")
    options.add_argument("--random-texts", action="store_true", help="prompts of random crops")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument(
        "--compare", action="store_true", help="train ten times: seeds 0 to 4, in both ways"
    )
    arguments = options.parse_args()

    train, validation = (load(arguments.sku_root, split) for split in ("train", "validation"))
    print(f"{'recall':<26}" + "".join(f"{f'@{k}':>8}" for k in KS))
    report("chance", chance(validation))
    begun = time.perf_counter()
    if arguments.compare:
        for is_random in (False, True):
            way = "random" if is_random else "distinct"
            runs = [
                [*map(recall, run(arguments, train, validation, seed, is_random)[1:])]
                for seed in SEEDS
            ]
            for seed, (by_image, by_prompt) in zip(SEEDS, runs, strict=True):
                report(f"{way}, seed {seed}, image", by_image)
                report(f"{way}, seed {seed}, prompt", by_prompt)
            means = torch.tensor(runs).mean(0).tolist()
            report(f"{way}, mean, image", means[0])
            report(f"{way}, mean, prompt", means[1])
    else:
        before, of_images, of_prompts = run(
            arguments, train, validation, arguments.seed, arguments.random_texts
        )
        report("before training", recall(before))
        report("after training", recall(of_images))
        report("after training, by prompt", recall(of_prompts))
        report_metrics({"by image": of_images, "by prompt": of_prompts})
    print(
        f"{arguments.steps} steps in {time.perf_counter() - begun:.0f} s, "
        f"{'seeds 0 to 4, in both ways' if arguments.compare else f'seed {arguments.seed}'}; "
        f"{int(validation.is_query.sum())} query crops among "
        f"{int((~validation.is_query).sum())} catalog crops of {len(validation.sku.unique())} SKUs"
    )


def run(
    options: argparse.Namespace, train: Crops, validation: Crops, seed: int, is_random: bool
) -> tuple[Ranks, Ranks, Ranks]:
    """Train a model; return the ranks before training, and then by image and by prompt."""
    torch.manual_seed(seed)
    model = TwoTowers()
    untrained, _ = rank_catalog(model, validation)
    if is_random:
        texts = draw_random_texts(train, options.texts)
    else:
        texts = draw_distinct_texts(options.sku_root, train, options.texts, seed)
    fit(model, train, texts, options.steps, options.skus)
    return untrained, *rank_catalog(model, validation)


def report(name: str, shares: list[float]) -> None:
    print(f"{name:<26}" + "".join(f"{share:>8.1%}" for share in shares))


def report_metrics(ranks: dict[str, Ranks]) -> None:
    """Print the means of all metrics, as `df2-assets evaluate` does for the best view."""
    print(f"{'evaluation':<26}" + "".join(f"{name:>10}" for name in METRICS))
    for name, of_queries in ranks.items():
        means = (metric(of_queries).mean() for metric in METRICS.values())
        print(f"{name:<26}" + "".join(f"{mean:>10.3f}" for mean in means))


def load(sku_root: Path, split: str) -> Crops:
    """Return all crops of a split, reduced to 64 by 64 pixels."""
    images, texts, words, skus, domains = [], [], [], [], []
    for image, text, line in read(sku_root, split):
        fitted = Image.new("RGB", (SIDE, SIDE), "white")
        image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
        fitted.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
        images.append(torch.from_numpy(np.array(fitted)).permute(2, 0, 1))
        texts.append(text)
        words.append([1 + crc32(word.encode()) % (WORDS - 1) for word in text.lower().split()])
        skus.append(line["sku_id"])
        domains.append(line["domain"] == "query")
    numbers = {sku: number for number, sku in enumerate(dict.fromkeys(skus))}
    return Crops(
        torch.stack(images),
        texts,
        nn.utils.rnn.pad_sequence([torch.tensor(numbers) for numbers in words], batch_first=True),
        torch.tensor([numbers[sku] for sku in skus]),
        torch.tensor(domains),
    )


def read(sku_root: Path, split: str) -> Iterator[tuple[Image.Image, str, dict[str, Any]]]:
    """Yield the image, the prompt and the line of each crop."""
    shards = sorted((sku_root / "_df2_assets/exports/webdataset" / split).glob("*.tar"))
    if shards:
        import webdataset

        urls = [str(shard) for shard in shards]
        samples = webdataset.WebDataset(urls, shardshuffle=False).decode("pilrgb")
        yield from samples.to_tuple("jpg", "txt", "json")
    else:
        dataset = DeepFashion2ImageTextDataset(sku_root, split)
        for item in map(dataset.__getitem__, range(len(dataset))):
            yield item["image"], item["text"], item["meta"]


class TwoTowers(nn.Module):
    """An image tower of four convolutions, and a text tower that averages word vectors."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((3, 32), (32, 64), (64, 96), (96, WIDTH)):
            layers += [
                nn.Conv2d(before, after, 3, stride=2, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        self.image_tower = nn.Sequential(
            *layers, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4 * WIDTH, WIDTH)
        )
        self.text_tower = nn.EmbeddingBag(WORDS, WIDTH, padding_idx=0)
        self.scale = nn.Parameter(torch.tensor(2.3))

    def embed_images(self, images: Tensor) -> Tensor:
        """Return unit vectors (N, 128)."""
        return F.normalize(self.image_tower(images.float() / 127.5 - 1))

    def embed_texts(self, words: Tensor) -> Tensor:
        """Return unit vectors (N, 128)."""
        return F.normalize(self.text_tower(words))


def draw_distinct_texts(
    sku_root: Path, crops: Crops, size: int, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield rows whose equal prompts are of one SKU, and their targets, epoch after epoch."""
    dataset = DeepFashion2ImageTextDataset(sku_root, "train")
    sampler = DistinctTextBatchSampler(dataset, size, seed=seed)
    for epoch in count():
        sampler.set_epoch(epoch)
        for rows in sampler:
            texts, skus = [crops.texts[row] for row in rows], crops.sku[rows].tolist()
            yield torch.tensor(rows), compute_targets(texts, list(map(str, skus)))


def draw_random_texts(crops: Crops, size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield random rows, and targets in which only a crop's own prompt is correct."""
    while True:
        rows = torch.randperm(len(crops.sku))[:size]
        yield rows, torch.eye(len(rows))


def fit(
    model: TwoTowers,
    crops: Crops,
    texts: Iterator[tuple[Tensor, Tensor]],
    steps: int,
    skus: int,
) -> None:
    """Train a model on one query crop and one catalog crop per SKU, and on batches of `texts`."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        query, catalog = batch(crops, skus)
        rows, targets = next(texts)
        looks = model.embed_images(augment(crops.images[torch.cat([query, catalog, rows])]))
        of_query, of_catalog, of_texts = looks.split([len(query), len(catalog), len(rows)])
        scale = model.scale.exp()
        loss = contrast(scale * of_query @ of_catalog.T, torch.eye(len(query)))
        words = model.embed_texts(crops.words[rows])
        loss = loss + 0.2 * contrast(scale * of_texts @ words.T, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def batch(crops: Crops, skus: int) -> tuple[Tensor, Tensor]:
    """Return the numbers of one query crop and one catalog crop of each of `skus` random SKUs."""
    order = torch.randperm(len(crops.sku))
    chosen = torch.randperm(int(crops.sku.max()) + 1)[:skus]
    drawn = []
    for is_query in (True, False):
        shuffled = order[crops.is_query[order] == is_query]
        first = (crops.sku[shuffled] == chosen[:, None]).int().argmax(1)
        drawn.append(shuffled[first])
    return drawn[0], drawn[1]


def augment(images: Tensor) -> Tensor:
    """Return images that are randomly mirrored, moved, zoomed and brightened."""
    count = len(images)
    zoom = 1 + 0.3 * (torch.rand(count) - 0.7)
    turn = torch.where(torch.rand(count) < 0.5, -zoom, zoom)
    move = 0.2 * (torch.rand(count, 2) - 0.5)
    nought = torch.zeros(count)
    matrix = torch.stack(
        [torch.stack([turn, nought, move[:, 0]], 1), torch.stack([nought, zoom, move[:, 1]], 1)], 1
    )
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    moved = F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
    light = 1 + 0.2 * (torch.rand(count, 3, 1, 1) - 0.5)
    return (moved * light).clamp(0, 255)


def contrast(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of CLIP in both directions. The targets of both are the same."""
    return (F.cross_entropy(scores, targets) + F.cross_entropy(scores.T, targets)) / 2


def rank_catalog(model: TwoTowers, crops: Crops) -> tuple[Ranks, Ranks]:
    """Return the ranks of the catalog crops of each query crop's SKU among all catalog crops.

    First the query is the image, then the prompt.
    """
    model.eval()
    with torch.inference_mode():
        looks = torch.cat([model.embed_images(images) for images in crops.images.split(256)])
        words = model.embed_texts(crops.words)
    is_query = crops.is_query.numpy()
    gallery, skus = looks.numpy()[~is_query], crops.sku.numpy()
    by_image, by_prompt = (
        rank(queries.numpy()[is_query], gallery, skus[is_query], skus[~is_query], max(KS)).ranks
        for queries in (looks, words)
    )
    return by_image, by_prompt


def recall(ranks: Ranks) -> list[float]:
    """Return the share of queries with a crop of their SKU among the first k."""
    return [float(recall_at(ranks, k).mean()) for k in KS]


def chance(crops: Crops) -> list[float]:
    """Return the recall that random order would have."""
    of_sku = torch.bincount(crops.sku[~crops.is_query])[crops.sku[crops.is_query]].double()
    every = int((~crops.is_query).sum())
    missed = torch.ones_like(of_sku)
    shares = []
    for k in range(max(KS)):
        missed = missed * ((every - of_sku - k) / (every - k)).clamp(min=0)
        if k + 1 in KS:
            shares.append(1 - missed.mean().item())
    return shares


if __name__ == "__main__":
    main()
