"""Learning finer classes than the model has: the network's own classes, unions of them, and how they fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.errors import UsageError
from seg_viewer.core.labels import IGNORE_ID, LabelSet
from trainer.labels.label_map import LabelMap
from trainer.labels.subpixel import sub_pixels


@dataclass(frozen=True)
class Details:
    """What the logits of a network mean.

    A mask of a data set may say less than a class: "a person, on foot or on a bicycle". Such a union is right where
    the probabilities of its members add up to 1.

    Args:
        labels: the classes of the finished model, C of them.
        names: of the network's own classes, K of them; a mask's ids below K are these.
        unions: their members; mask id K + i is union i.
        groups: own classes that make each of the C classes; a class's probability is their sum.
        subpixel: the network has logits of the C classes, for every pixel of the picture, and of its own ones beside
            them at half size, where they differ. The logits lie as `trainer.labels.subpixel` says, then K channels.
    """

    labels: LabelSet
    names: tuple[str, ...]
    unions: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[int, ...], ...]
    subpixel: bool = False

    def __len__(self) -> int:
        """Own classes, K."""
        return len(self.names)

    @property
    def heads(self) -> tuple[int, int]:
        """`classes` and `own` of `trainer.network.unet.build`."""
        if self.subpixel:
            return len(self.labels), len(self) if self.folds else 0
        return len(self), 0

    @property
    def folds(self) -> bool:
        """Whether the network's classes are not the model's."""
        return any(group != (index,) for index, group in enumerate(self.groups))

    @property
    def finer(self) -> bool:
        """Whether masks or logits hold anything else than the model's classes."""
        return self.folds or bool(self.unions) or self.subpixel

    @property
    def background(self) -> int | None:
        """Mask id of "some background": the class of that name, or the union of what folds into it; None without."""
        if "background" not in self.labels.names:
            return None
        group = self.groups[self.labels.by_name("background").id]
        if len(group) == 1:
            return group[0]
        return next((len(self) + index for index, ids in enumerate(self.unions) if set(ids) == set(group)), None)

    def members(self) -> NDArray[np.float32]:
        """(K + unions, K) float32: 1 where own class k is meant by mask id i."""
        out = np.zeros((len(self) + len(self.unions), len(self)), np.float32)
        for index, ids in enumerate((*((k,) for k in range(len(self))), *self.unions)):
            out[index, list(ids)] = 1
        return out

    def folded_ids(self) -> NDArray[np.uint8]:
        """(256,) uint8: class of the finished model that a mask id means; 255 where it leaves that open."""
        group_of = {k: index for index, group in enumerate(self.groups) for k in group}
        out = np.full(256, IGNORE_ID, np.uint8)
        for index, row in enumerate(self.members()):
            met = {group_of.get(int(k), IGNORE_ID) for k in np.flatnonzero(row)}
            if len(met) == 1:
                out[index] = met.pop()
        return out

    def fold(self, logits: Any) -> Any:
        """What the network gives → logits of the C classes, (N, h, w, C), in the backend's arrays.

        With `subpixel` those of all pixels. Else log Σ exp over each group: folded probabilities are sums of
        probabilities, and own classes in no group are left out.
        """
        from keras import ops

        if self.subpixel:
            return sub_pixels(logits, len(self.labels))
        if not self.folds:
            return logits
        channels = []
        for group in self.groups:
            parts = [logits[..., k : k + 1] for k in group]
            joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
            channels.append(joined if len(parts) == 1 else ops.logsumexp(joined, axis=-1, keepdims=True))
        return ops.concatenate(channels, axis=-1)


def plain(labels: LabelSet, subpixel: bool = False) -> Details:
    """The network's classes are the model's."""
    return Details(labels, labels.names, (), tuple((index,) for index in range(len(labels))), subpixel)


def details_of(labels: LabelSet, label_map: LabelMap | None, subpixel: bool = False) -> Details:
    """What the logits of a network mean that learns the classes of `label_map` for a model of the classes `labels`.

    Args:
        labels: the classes of the model.
        label_map: the finer classes, or None: the network learns those of the model.
        subpixel: as in `Details`.

    Raises:
        UsageError: the label map has no fold to those classes.
    """
    if label_map is None:
        return plain(labels, subpixel)
    unions = tuple(members for _, members in label_map.unions)
    names = label_map.labels.names
    if label_map.labels == labels:
        return Details(labels, names, unions, tuple((index,) for index in range(len(labels))), subpixel)
    for fold in label_map.folds.values():
        if tuple(fold) == labels.names:
            return Details(labels, names, unions, tuple(fold[name] for name in labels.names), subpixel)
    raise UsageError(
        f"details '{label_map.name}' fold into {', '.join(label_map.folds) or 'nothing'},"
        f" not into {', '.join(labels.names)}"
    )


def fold_target(target: Any, details: Details) -> Any:
    """Mask ids (N, H, W) of `details` → int32 ids of the finished model's classes, 255 where open or ignored."""
    from keras import ops

    return ops.take(ops.convert_to_tensor(details.folded_ids().astype(np.int32)), ops.cast(target, "int32"), axis=0)
