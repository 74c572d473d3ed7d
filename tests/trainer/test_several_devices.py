"""Several machines, and several devices of one, take the steps that one takes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.trainer.conftest import LIGHT
from tests.trainer.test_training import command, rows
from trainer.recipe import Recipe
from trainer.training.run import run_training


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe) -> Path:
    """A run on one device, whose steps several of them can take; its recipe is beside the folder."""
    # without batch norm (each machine has its own) and clipping (each clips its own part) the sums are the same
    plain = recipe.change(**LIGHT, norm=False, clip_norm=0.0, epochs=2, warmup=0, learning_rate=1e-3, augment=False)
    root = tmp_path_factory.mktemp("alone")
    (root / "r.toml").write_text(plain.to_toml(), encoding="utf-8")
    run_training(plain, [], root / "one", Console(quiet=True))
    return root / "one"


COMMAND = """
import atexit, runpy, sys
looked_for = {"keras", "tensorflow", "jax", "pandas", "sklearn"}
atexit.register(lambda: print("loaded:", *sorted(looked_for & set(sys.modules))))
runpy.run_module("trainer.cli", run_name="__main__")
"""
"""`python -m trainer.cli`, and what it has imported at the end."""


def test_two_machines_take_the_steps_that_one_takes(alone: Path, tmp_path: Path) -> None:
    ports = _free_ports(2)
    line = [sys.executable, "-c", COMMAND, *command("train", alone.with_name("r.toml"), "--run")[3:]]
    base = {key: value for key, value in os.environ.items() if key != "TF_CONFIG"}
    workers = []
    for index in range(2):
        told = {"cluster": {"worker": [f"127.0.0.1:{p}" for p in ports]}, "task": {"type": "worker", "index": index}}
        env = {**base, "TF_CONFIG": json.dumps(told)}
        log = (tmp_path / f"log{index}").open("w")
        workers.append(subprocess.Popen([*line, str(tmp_path / "two")], env=env, stdout=log, stderr=log))
    try:
        for index, worker in enumerate(workers):
            assert worker.wait(timeout=200) == 0, (tmp_path / f"log{index}").read_text(encoding="utf-8")[-2000:]
    finally:
        for worker in workers:
            worker.kill()
    for index in range(2):  # Keras and TensorFlow load the others, too, where nobody tells them that it is in vain
        assert (tmp_path / f"log{index}").read_text(encoding="utf-8").splitlines()[-1] == "loaded: keras tensorflow"
    for one, two in zip(rows(alone), rows(tmp_path / "two"), strict=True):
        assert float(one["loss"]) == pytest.approx(float(two["loss"]), rel=1e-3)
        assert float(one["accuracy"]) == pytest.approx(float(two["accuracy"]), abs=2e-3)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


TWO_DEVICES = """
import sys
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import trainer.training.step
mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
trainer.training.step.strategy = lambda: mirrored
from trainer.cli import main
main()
"""


def test_two_devices_of_one_machine_take_the_steps_that_one_takes(alone: Path, tmp_path: Path) -> None:
    # two halves of the processor stand for two GPUs
    line = [sys.executable, "-c", TWO_DEVICES, "train", str(alone.with_name("r.toml")), "--run", str(tmp_path / "two")]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    for one, two in zip(rows(alone), rows(tmp_path / "two"), strict=True):
        assert float(one["loss"]) == pytest.approx(float(two["loss"]), rel=1e-3)
        assert float(one["accuracy"]) == pytest.approx(float(two["accuracy"]), abs=2e-3)
