"""What `import trainer` offers: data sets, networks, training, scores and pictures from Python.

`seg-trainer` does the same through the same functions: `load_dataset` takes what `--data` takes, `fit` takes every
option of `seg-trainer train` by its name (`--batch-size 16` is `batch_size=16`) and leaves the same run folder.
"""

from trainer.api.data import Data, load_dataset
from trainer.api.results import evaluate, predict, show_history, show_predictions
from trainer.api.training import Trained, fit, unet
from trainer.network.blocks import conv_block, upsampling_block
from trainer.network.unet import picture_input

__all__ = [
    "Data",
    "Trained",
    "conv_block",
    "evaluate",
    "fit",
    "load_dataset",
    "picture_input",
    "predict",
    "show_history",
    "show_predictions",
    "unet",
    "upsampling_block",
]
