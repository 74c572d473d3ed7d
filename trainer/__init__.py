"""The trainer: data sets in, one checked `.onnx` model file out. Needs the extra `seg-viewer[trainer]`.

From Python:

    import trainer

    data = trainer.load_dataset("carvana", size=(128, 128))
    run = trainer.fit(trainer.unet(len(data.labels), size=(128, 128)), data, epochs=20)
    print(trainer.evaluate(run, data).miou)

What there is stands in `trainer.api`. It is imported with its first use, and Keras only where a network is needed, so
that `import trainer` costs nothing; `__init__.pyi` says the same to type checkers and editors.
"""

from importlib import import_module

_API = frozenset(
    (
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
    )
)


def __getattr__(name: str) -> object:
    if name in _API:
        return getattr(import_module("trainer.api"), name)
    raise AttributeError(f"module 'trainer' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
