"""What a learnt skin texture could gain: python bench/skin_texture.py PAIRS.

PAIRS is what scripts/make_finish_pairs.py makes: drawn hands beside what was photographed. How the light of
the photograph differs from the drawn one, at every vertex of the rig's dense mesh, is averaged over the hands
that are not held out (the median), and its ``COMPONENTS`` main variations are found. Held-out hands get these
on top of their drawing: half of the median; with it half of the variations, in the amounts that fit the old
hand where it is sound, or (a bound that no method reaches) the photograph itself. Perceptual distance and
colour error to the photograph where anything was painted, means and paired bootstrap intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

from handwright.diffusion.latents import picture_tensor
from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.hand.dense import load_dense_rig
from handwright.metrics.estimate import paired_difference
from handwright.training.finish_pairs import FinishPairs, load_pairs
from handwright.training.finish_planes import NORMAL_X, OLD, PAINTED, REST_MIDDLE_M, REST_REACH_M, SHARE
from handwright.training.networks.perceptual import PerceptualDistance

COMPONENTS, ROUNDS = 8, 12  # Variations, and rounds of alternating least squares for them
RIDGE_HANDS, RIDGE_VERTICES, RIDGE_FIT = (
    2.0,
    20.0,
    60.0,
)  # Of amounts, of variations, of amounts when measured
DRAWN, FACING = 0.98, -0.35  # Least share of the hand in a pixel, and how far it faces the camera at least
FEWEST, FEWEST_FIT = 300, 50  # Pixels of a hand that is learnt from; of one that amounts are fitted to
FLOOR = 0.01  # Light that is added before logarithms are taken
PRIOR_HANDS = 20  # Hands of no difference that each vertex's median is weighed against
SOUND_LEVELS = 4  # Difference of 255 levels up to which the old hand is sound
PART = 0.5  # Of what was learnt; the whole of it raises the perceptual distance


class Hand:
    """One pair: light, mesh vertices and masks of its pixels."""

    def __init__(self, pairs: FinishPairs, k: int, tree: cKDTree) -> None:
        planes = pairs.planes[k].astype(np.float32)
        self.share = planes[..., SHARE]
        self.on = self.share > 0.02
        self.inner = (
            (self.share > DRAWN) & (planes[..., NORMAL_X + 2] < FACING) & (planes[..., PAINTED] > 0.5)
        )
        self.painted = planes[..., PAINTED] > 0.5
        self.photograph = pairs.photograph[k]
        self.drawn, self.old = (
            np.clip(np.rint((planes[..., c] + 1) * 127.5), 0, 255).astype(np.uint8) for c in (slice(3), OLD)
        )
        rest = planes[self.on][:, NORMAL_X + 3 : NORMAL_X + 6] * REST_REACH_M + np.array(REST_MIDDLE_M)
        self.vertex: Int[np.ndarray, " n"] = tree.query(rest)[1]

    def difference(self, pixels: np.ndarray, where: Bool[np.ndarray, "s s"]) -> Float[np.ndarray, "n 3"]:
        """Log light of ``pixels`` over the drawn one in the hand's pixels; its median over ``where`` is 0."""
        logs = [np.log(to_linear(some)[self.on] + FLOOR) for some in (pixels, self.drawn)]
        apart = logs[0] - logs[1]
        return np.clip(apart - np.median(apart[where[self.on]], 0), -1, 1)

    def of_vertices(self, count: int) -> Float[np.ndarray, "v 3"]:
        """Mean difference of the photograph at each vertex; nan where none is seen."""
        inner = self.inner[self.on]
        apart, vertex = self.difference(self.photograph, self.inner)[inner], self.vertex[inner]
        seen = np.bincount(vertex, minlength=count).astype(np.float32)
        sums = np.stack([np.bincount(vertex, apart[:, c], count) for c in range(3)], 1)
        return np.where(seen[:, None] > 0, sums / np.maximum(seen, 1)[:, None], np.nan).astype(np.float32)

    def textured(self, texture: Float[np.ndarray, "n 3"]) -> np.ndarray:
        """The photograph with the drawn hand in it where that was painted, its light changed by a texture."""
        light = (to_linear(self.drawn)[self.on] + FLOOR) * np.exp(
            self.share[self.on][:, None] * texture
        ) - FLOOR
        pixels = self.drawn.copy()
        pixels[self.on] = np.clip(np.rint(to_srgb(np.clip(light, 0, 1))), 0, 255)
        return np.where(self.painted[..., None], pixels, self.photograph)


def variations(apart: Float[np.ndarray, "h v 3"]) -> Float[np.ndarray, "k v 3"]:
    """Main variations of differences with gaps, by alternating ridge regression."""
    hands, count, _ = apart.shape
    seen = np.repeat(~np.isnan(apart[..., 0]), 3, 1)
    values = np.nan_to_num(apart).reshape(hands, -1)
    found = np.random.default_rng(0).normal(0, 0.05, (COMPONENTS, values.shape[1]))
    eye = np.eye(COMPONENTS)
    for _ in range(ROUNDS):
        amounts = np.stack(
            [
                np.linalg.solve(found[:, s] @ found[:, s].T + RIDGE_HANDS * eye, found[:, s] @ row[s])
                for s, row in zip(seen, values, strict=True)
            ]
        )
        amounts /= amounts.std(0) + 1e-6
        for part in np.array_split(np.arange(values.shape[1]), 10):
            shares = seen[:, part].astype(float)
            squares = np.einsum("hk,hl,hj->jkl", amounts, amounts, shares, optimize=True)
            right = np.einsum("hk,hj->jk", amounts, values[:, part] * shares)
            found[:, part] = np.linalg.solve(squares + RIDGE_VERTICES * eye, right[..., None])[..., 0].T
    return found.reshape(COMPONENTS, count, 3)


def versions(
    hand: Hand, usual: Float[np.ndarray, "v 3"], basis: Float[np.ndarray, "k v 3"]
) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pictures of a held-out hand's versions."""
    mean = PART * usual[hand.vertex]
    yield "as drawn", hand.textured(np.zeros_like(mean))
    yield "with the median", hand.textured(mean)
    sound = np.abs(hand.old.astype(int) - hand.photograph).max(-1) < SOUND_LEVELS
    for name, pixels, where in (
        ("and variations that fit the old hand", hand.old, sound),
        ("and variations that fit the photograph", hand.photograph, hand.on),
    ):
        where = where & hand.on & (hand.share > 0.9)
        amounts = np.zeros(COMPONENTS)
        if where.sum() >= FEWEST_FIT:
            picked = where[hand.on]
            left = (hand.difference(pixels, where) - mean)[picked].reshape(-1)
            there = basis[:, hand.vertex[picked]].reshape(COMPONENTS, -1)
            amounts = np.linalg.solve(there @ there.T + RIDGE_FIT * np.eye(COMPONENTS), there @ left)
        yield name, hand.textured(mean + PART * np.einsum("k,kvc->vc", amounts, basis[:, hand.vertex]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    vertices = load_dense_rig().rig.vertices_m
    tree, distance = cKDTree(vertices), PerceptualDistance()
    learnt: list[np.ndarray] = []
    held: list[Hand] = []
    pairs = load_pairs(args.pairs)
    for k in np.flatnonzero(~pairs.rendered):
        hand = Hand(pairs, int(k), tree)
        if pairs.held_out()[k]:
            held.append(hand)
        elif hand.inner.sum() >= FEWEST:
            learnt.append(hand.of_vertices(len(vertices)))
    apart = np.stack(learnt)
    seen = (~np.isnan(apart[..., 0])).sum(0)
    usual = np.zeros_like(apart[0])
    usual[seen > 0] = np.nanmedian(apart[:, seen > 0], 0)
    usual *= (seen / (seen + PRIOR_HANDS))[:, None]
    basis = variations(apart - usual)
    measured: dict[str, list[tuple[float, float]]] = {}
    for hand in held:
        wanted = picture_tensor(hand.photograph[None])
        for name, pixels in versions(hand, usual, basis):
            with torch.no_grad():
                far = float(distance(picture_tensor(pixels[None]), wanted))
            colour = np.abs(pixels.astype(float) - hand.photograph)[hand.painted & (hand.share > 0.5)].mean()
            measured.setdefault(name, []).append((far, colour / 127.5))
    print(f"{len(learnt)} hands learnt from, {len(held)} measured")
    for name, values in measured.items():
        for k, what in enumerate(("perceptual distance", "colour error")):
            new, drawn = (np.array(some)[:, k] for some in (values, measured["as drawn"]))
            change = paired_difference(what, new, drawn)
            interval = f"{change.value:+.4f} [{change.low:+.4f}, {change.high:+.4f}]"
            print(f"{name}, {what}: {new.mean():.4f}, {interval}")


if __name__ == "__main__":
    main()
