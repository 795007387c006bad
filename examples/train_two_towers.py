"""Train a small CLIP-like model on a build, and measure its retrieval from query to catalog.

    df2-assets export webdataset
    python examples/train_two_towers.py data/DeepFashion2_SKU

An image tower and a text tower are trained from scratch on the train split: in a batch, a query
crop has to find a catalog crop of its SKU, and each crop its prompt. Then each query crop of
validation, which the model has never seen, has to find its SKU among all catalog crops of
validation. The shards of the `webdataset` export are read if they exist, otherwise the crops.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

SIDE = 64
WIDTH = 128
WORDS = 512
KS = (1, 5, 10)


class Crops(NamedTuple):
    """A split in memory. `images` is uint8 (N, 3, 64, 64), `words` is (N, L), padded with 0."""

    images: Tensor
    words: Tensor
    sku: Tensor
    is_query: Tensor


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("sku_root", type=Path, help="the result of df2-assets build (SKU_ROOT)")
    options.add_argument("--steps", type=int, default=300, help="300 take a minute on 2 cores")
    options.add_argument("--skus", type=int, default=48, help="the most SKUs per batch")
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()

    torch.manual_seed(arguments.seed)
    train, validation = (load(arguments.sku_root, split) for split in ("train", "validation"))
    model = TwoTowers()
    print(f"{'recall':<16}" + "".join(f"{f'@{k}':>8}" for k in KS))
    report("chance", chance(validation))
    report("before training", recall(model, validation))
    begun = time.perf_counter()
    fit(model, train, arguments.steps, arguments.skus)
    report("after training", recall(model, validation))
    print(
        f"{arguments.steps} steps in {time.perf_counter() - begun:.0f} s, seed {arguments.seed}; "
        f"{int(validation.is_query.sum())} query crops among "
        f"{int((~validation.is_query).sum())} catalog crops of {len(validation.sku.unique())} SKUs"
    )


def report(name: str, shares: list[float]) -> None:
    print(f"{name:<16}" + "".join(f"{share:>8.1%}" for share in shares))


def load(sku_root: Path, split: str) -> Crops:
    """Return all crops of a split, reduced to 64 by 64 pixels."""
    images, texts, skus, domains = [], [], [], []
    for image, text, line in read(sku_root, split):
        fitted = Image.new("RGB", (SIDE, SIDE), "white")
        image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
        fitted.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
        images.append(torch.from_numpy(np.array(fitted)).permute(2, 0, 1))
        texts.append([1 + crc32(word.encode()) % (WORDS - 1) for word in text.lower().split()])
        skus.append(line["sku_id"])
        domains.append(line["domain"] == "query")
    numbers = {sku: number for number, sku in enumerate(dict.fromkeys(skus))}
    return Crops(
        torch.stack(images),
        nn.utils.rnn.pad_sequence([torch.tensor(text) for text in texts], batch_first=True),
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
        from df2_assets.torch import DeepFashion2ImageTextDataset

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


def fit(model: TwoTowers, crops: Crops, steps: int, skus: int) -> None:
    """Train a model on batches with one query crop and one catalog crop per SKU."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        query, catalog = batch(crops, skus)
        same_sku = torch.eye(len(query))
        seen = torch.cat([query, catalog])
        looks = model.embed_images(augment(crops.images[seen]))
        words = crops.words[seen]
        same_text = (words[:, None] == words).all(2).float()
        scale = model.scale.exp()
        loss = contrast(scale * looks[: len(query)] @ looks[len(query) :].T, same_sku)
        loss = loss + 0.2 * contrast(scale * looks @ model.embed_texts(words).T, same_text)
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


def contrast(scores: Tensor, same: Tensor) -> Tensor:
    """Return the loss of CLIP in both directions. `same` is 1 for each correct combination."""
    return (
        F.cross_entropy(scores, same / same.sum(1, keepdim=True))
        + F.cross_entropy(scores.T, same.T / same.T.sum(1, keepdim=True))
    ) / 2


def recall(model: TwoTowers, crops: Crops) -> list[float]:
    """Return the share of query crops with their SKU among the k nearest catalog crops."""
    model.eval()
    with torch.inference_mode():
        looks = torch.cat([model.embed_images(images) for images in crops.images.split(256)])
    scores = looks[crops.is_query] @ looks[~crops.is_query].T
    ranked = crops.sku[~crops.is_query][scores.argsort(1, descending=True)]
    hits = ranked == crops.sku[crops.is_query][:, None]
    return [hits[:, :k].any(1).float().mean().item() for k in KS]


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
