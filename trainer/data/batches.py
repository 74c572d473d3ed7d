"""Batches made ahead of the training step: by tf.data where TensorFlow is the backend, else by threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seg_viewer.core.machine import usable_cores
from trainer.data.samples import Samples

AHEAD = 3


def batches(samples: Samples, epoch: int, first: int = 0, worker: int = 0, workers: int = 1) -> Iterator[Any]:
    """The batches of an epoch, in order: pictures (N, h, w, 3) uint8 and masks (N, h/s, w/s) uint8.

    Args:
        first: step of the epoch to begin with.
        worker, workers: of how many machines this is which; each gets its share of every batch.

    Returns:
        Iterator of TensorFlow tensors where Keras runs on TensorFlow, of NumPy arrays elsewhere.

    Raises:
        SourceError: a file is damaged (while iterating; under TensorFlow wrapped in its own error).
    """
    import keras

    cv2.setNumThreads(1)  # samples are made side by side already; OpenCV's own threads would only get in the way
    plan = samples.plan(epoch)
    steps, size, _ = plan.shape
    share = size // workers
    places = np.arange(steps * size).reshape(steps, size)[first:, worker * share : (worker + 1) * share]
    if keras.backend.backend() == "tensorflow":
        return iter(_tf_batches(samples, epoch, plan.reshape(-1, 2), places))
    return _thread_batches(samples, epoch, plan.reshape(-1, 2), places)


def _tf_batches(samples: Samples, epoch: int, plan: NDArray[np.int64], places: NDArray[np.int64]) -> Any:
    import tensorflow as tf

    (crop_w, crop_h), stride = samples.view.crop, samples.view.mask_stride

    def read(place: Any) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return samples.sample(epoch, int(place), plan[int(place)])

    def sample(place: Any) -> tuple[Any, Any]:
        picture, mask = tf.numpy_function(read, [place], (tf.uint8, tf.uint8))
        picture.set_shape((crop_h, crop_w, 3))
        mask.set_shape((crop_h // stride, crop_w // stride))
        return picture, mask

    # on a processor that trains, one thread is enough and stands least in the way
    threads = usable_cores() if tf.config.list_physical_devices("GPU") else max(1, usable_cores() // 4)
    made = tf.data.Dataset.from_tensor_slices(places.ravel())
    made = made.map(sample, num_parallel_calls=threads, deterministic=True)
    made = made.batch(places.shape[1], drop_remainder=True, num_parallel_calls=1, deterministic=True)
    options = tf.data.Options()
    options.autotune.enabled = False
    options.threading.private_threadpool_size = threads
    return made.with_options(options).prefetch(AHEAD)


def _thread_batches(
    samples: Samples, epoch: int, plan: NDArray[np.int64], places: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    with ThreadPoolExecutor(usable_cores(), thread_name_prefix="samples") as pool:
        waiting: list[list[Any]] = []
        for step in range(len(places) + AHEAD):
            if step < len(places):
                waiting.append([pool.submit(samples.sample, epoch, int(p), plan[p]) for p in places[step]])
            if step >= AHEAD:
                pairs = [future.result() for future in waiting.pop(0)]
                yield np.stack([p for p, _ in pairs]), np.stack([m for _, m in pairs])
