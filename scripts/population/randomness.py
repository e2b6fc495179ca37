"""Seeded choices: which half of a pool a value belongs to, weighted and Zipf picks, numbers that depend on an id alone."""

import bisect
import hashlib
import itertools
import random

import numpy

SPLITS = ("evaluation", "background")


def half_of(value: str) -> str:
    """Returns the split that owns a value: a fair coin made of the value itself, so that the two never share one."""
    return SPLITS[hashlib.blake2b(value.lower().encode(), digest_size=1).digest()[0] & 1]


class Weighted:
    """A list with weights; `pick` costs O(log n)."""

    def __init__(self, items, weights):
        self.items = list(items)
        self.bounds = list(itertools.accumulate(weights))

    def pick(self, rng: random.Random):
        """Returns one item, as often as its weight says."""
        place = bisect.bisect_right(self.bounds, rng.random() * self.bounds[-1])
        return self.items[min(place, len(self.items) - 1)]


def zipf(items, exponent=1.0, offset=2.0) -> Weighted:
    """Returns the items weighted by rank, the first most often."""
    items = list(items)
    return Weighted(items, [1.0 / (rank + offset) ** exponent for rank in range(len(items))])


def uniforms(ids: numpy.ndarray, column: int) -> numpy.ndarray:
    """Returns a number in [0, 1) for each 64-bit id and column, by the SplitMix64 finaliser: the same id gives the same picture anywhere."""
    with numpy.errstate(over="ignore"):
        z = ids.astype(numpy.uint64) + numpy.uint64(0x9E3779B97F4A7C15) * numpy.uint64(column + 1)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return (z >> numpy.uint64(11)).astype(numpy.float64) / float(1 << 53)
