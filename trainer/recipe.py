"""A recipe: everything that decides what a training run makes; TOML file and command line say the same things."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seg_viewer.core.assets import shipped_models
from seg_viewer.core.counted import counted
from seg_viewer.core.errors import UsageError
from trainer.architecture import Model, check_model
from trainer.files import shipped_or_own
from trainer.limits import check_range, fitting, option, parse_loss, share, typed
from trainer.pairs import Split
from trainer.toml_text import toml_text

SHIPPED = Path(__file__).parent / "recipes"
SIZE = "WIDTHxHEIGHT"


@dataclass(frozen=True)
class Source:
    """One data set of a mix.

    Args:
        kind: format, a key of `trainer.data.formats.FORMATS`, "tfds", or "auto".
        path: folder; a relative one is looked up in the folders given with --root, then from here.
        weight: share of the training pictures drawn from it, against the sum of all weights; 0 means as many as it has.
        name: what to call it; the format's name when empty.
        labels: "native", "driving", or a label map; the recipe's when empty.
        optional: left out with a note when its folder or pack is missing or cannot be read.
        split: keys `by`, `held_out`, `seed`, `gap` of `trainer.pairs.Split`; the format's own when empty.
        own_bonnet: "background": ignored in scores, background in training; "ignore", or "keep" (CARLA).
    """

    kind: str
    path: str
    weight: float = 0.0
    name: str = ""
    labels: str = ""
    optional: bool = False
    split: Mapping[str, Any] = field(default_factory=dict)
    own_bonnet: str = "background"


@dataclass(frozen=True)
class Run:
    """The run itself: how long, on what size, from which seed."""

    epochs: int = option(20, "Passes over the training pictures.", least=1)
    minutes: float = option(
        0.0,
        "Train for so long, compiling not counted, whatever --epochs says: warm-up, then the schedule over this time;"
        " 0: by epochs.",
        least=0,
        most=100_000,
    )
    steps_per_epoch: int = option(0, "Batches of an epoch; 0: as many as the training pictures fill.", least=0)
    echo: int = option(
        1,
        "Use each batch so often, from the second time on mirrored, toned, shifted and in noise anew on the device:"
        " for a GPU that waits for pictures.",
        least=1,
        most=64,
    )
    batch_size: int = option(8, "Pictures of a step.", least=1)
    size: tuple[int, int] = option(
        (256, 192), "What the model sees: pictures are stretched to it.", metavar=SIZE, least=1
    )
    crop: tuple[int, int] = option((0, 0), "Train on crops of this size; 0x0: on the whole.", metavar=SIZE, least=0)
    seed: int = option(0, "Draws weights, order, augmentation; the same seed repeats the run.", least=0, most=2**32 - 1)
    early_stopping: int = option(0, "Stop after so many epochs without a better monitored value; 0: never.", least=0)
    monitor: str = option("miou", "What decides which weights are best.", choices=("miou", "loss"))
    checkpoint_every: int = option(200, "Steps between checkpoints within an epoch.", least=1)
    labels: str = option("native", "Classes: native, driving, or a label map (name or TOML file).")
    details: str = option(
        "", "Finer classes that the network learns underneath, folded into those of --labels: streets; empty: none."
    )
    rare: tuple[str, ...] = option((), "Classes whose pictures are drawn more often, by name.", metavar="A,B")
    rare_share: float = share(0.35, "Share of pictures drawn from those that hold a rare class.")
    pseudo: float = share(
        0.25,
        "What a picture counts whose mask is a model's own answer that nobody has corrected, as seg-viewer sends it;"
        " 0: left out, 1: as any other.",
    )

    def how_long(self, done: int) -> str:
        """In words, how long a run of so many epochs so far goes on."""
        if self.minutes:
            return f"{counted(done, 'epoch')} in {self.minutes:g} minutes"
        return f"{done} of {counted(self.epochs, 'epoch')}"


@dataclass(frozen=True)
class Optimizer:
    """The optimizer: how the weights move."""

    optimizer: str = option("adamw", "Optimizer.", choices=("adam", "adamw", "sgd"))
    learning_rate: float = option(1e-3, "Largest learning rate.", above=0, below=10)
    schedule: str = option("cosine", "After the warm-up.", choices=("cosine", "plateau", "constant"))
    warmup: int = option(100, "Steps over which the learning rate rises from 0.", least=0)
    plateau_patience: int = option(3, "Epochs without a better monitored value before the rate is halved.", least=1)
    weight_decay: float = option(0.01, "Of adamw, and of sgd.", least=0)
    clip_norm: float = option(1.0, "Largest norm of a gradient; 0: not clipped.", least=0)
    accumulate: int = option(1, "Steps whose gradients make one update.", least=1)
    ema: float = option(
        0.995,
        "Momentum of the weights' moving average, which is what is scored and exported; 0: none.",
        least=0,
        below=1,
    )
    blend: float = option(0.0, "Share of the weights of --start in what is scored and exported.", least=0, below=1)
    precision: str = option(
        "auto",
        "Arithmetic; auto: mixed_bfloat16 where the processor or GPU computes in it, else float32.",
        choices=("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    )
    resume_rate: float = option(
        0.0, "After a resume use this learning rate instead of the recipe's; 0: the recipe's.", least=0, below=10
    )


@dataclass(frozen=True)
class Loss:
    """The loss: what is minimised."""

    loss: str = option(
        "ce", "ce, bce, dice, focal, lovasz, or a sum: ce+0.5*dice. All leave ignored pixels out.", metavar="LOSS"
    )  # fmt: skip
    class_weights: tuple[float, ...] = option(
        (), "Weight of each class in ce, bce and focal.", metavar="1,2,…", least=0
    )
    balance: float = option(
        0.0, "Class weights from frequencies: share to this power, inverted; 0: none, 0.5: mild, 1: full.", least=0
    )
    focal_gamma: float = option(2.0, "Exponent of the focal loss.", least=0)
    teacher: str = option(
        "", "Run folder, .onnx file, or recipe to train first, whose network's answers are learned too."
    )
    teacher_share: float = option(1.0, "Weight of the cross-entropy with those answers.", least=0)


@dataclass(frozen=True)
class Augment:
    """The augmentation: what happens to training pictures, each on its own.

    Shares are of pictures, ranges are drawn log-uniformly.
    """

    augment: bool = option(True, "Change training pictures at random.")
    flip: float = share(0.5, "Share mirrored left to right.")
    zoom: tuple[float, float] = option((0.8, 1.4), "Smallest and largest zoom.", metavar="A,B", above=0)
    aspect: tuple[float, float] = option(
        (0.85, 1.18), "Smallest and largest stretch of x against y.", metavar="A,B", above=0
    )
    rotate: float = option(4.0, "Largest rotation either way, degrees.", least=0, most=180)
    focus: float = share(0.3, "Share of crops laid around a pixel of a rare class.")
    color: float = option(1.0, "Strength of changes in brightness, contrast, gamma, cast and saturation.", least=0)
    blur: float = share(0.2, "Share blurred.")
    noise: float = share(0.25, "Share with sensor noise.")
    jpeg: float = share(0.2, "Share with JPEG damage.")
    fog: float = share(0.0, "Share in fog.")
    rain: float = share(0.0, "Share in rain.")
    night: float = share(0.0, "Share at night.")
    blank: float = share(0.0, "Share made black or of one colour, all background, as before a covered lens.")
    paste: float = share(0.0, "Share of pictures that objects of --rare classes from another are laid over.")
    paint: float = share(0.0, "Share with letters, arrows, bars and patches drawn on the road, which stays road.")
    shade: float = share(0.0, "Share with dark objects of --rare classes, or as often with dark patches.")
    bonnet: float = share(0.0, "Share with an own bonnet or dashboard drawn along the lower edge, as background.")


SECTIONS: dict[str, type] = {"run": Run, "model": Model, "optimizer": Optimizer, "loss": Loss, "augment": Augment}


@dataclass(frozen=True)
class Recipe:
    """A whole recipe: everything that decides what a run makes.

    Args:
        data: the data sets of the mix.
        run: the top level of the file.
        model, optimizer, loss, augment: its tables of these names.
    """

    data: tuple[Source, ...]
    run: Run = Run()
    model: Model = field(default_factory=Model)
    optimizer: Optimizer = Optimizer()
    loss: Loss = Loss()
    augment: Augment = Augment()

    @property
    def crop(self) -> tuple[int, int]:
        """(width, height) that is trained on."""
        return self.run.crop if all(self.run.crop) else self.run.size

    def change(self, **values: Any) -> Recipe:
        """A copy with values of any section changed, by their names. Raises: UsageError."""
        changed = dict(values)
        parts: dict[str, Any] = {"data": changed.pop("data")} if "data" in changed else {}
        for section, kind in SECTIONS.items():
            own = {
                f.name: fitting(f.name, changed.pop(f.name), str(f.type))
                for f in dataclasses.fields(kind)
                if f.name in changed
            }
            if own:
                parts[section] = dataclasses.replace(getattr(self, section), **own)
        if changed:
            raise UsageError(f"'{sorted(changed)[0]}' is no option of a recipe")
        recipe = dataclasses.replace(self, **parts)
        recipe.check()
        return recipe

    def check(self) -> None:
        """Raises: UsageError naming the value that cannot be."""
        for section, kind in SECTIONS.items():
            for f in dataclasses.fields(kind):
                check_range(f.name, getattr(getattr(self, section), f.name), f.metadata)
        run, model = self.run, self.model
        stages = len(model.widths) or model.depth
        multiple = 2**stages if model.arch == "unet-fast" else 2 ** (stages - 1)
        if model.network:
            multiple = 1
            for name, given in {"start": model.start, "subpixel": model.subpixel}.items():
                if given:
                    raise UsageError(f"{name}: does not go with network; the weights in {model.network} are the start")
            if self.optimizer.precision not in ("auto", "float32"):
                raise UsageError(f"precision: {model.network} computes in what it was made for; leave it out")
        for what, size in (("size", run.size), ("crop", self.crop)):
            if any(value % multiple for value in size):
                raise UsageError(
                    f"{what} {size[0]}x{size[1]}: {model.arch} with {stages} stages needs multiples of {multiple},"
                    f" such as {max(multiple, round(size[0] / multiple) * multiple)}x"
                    f"{max(multiple, round(size[1] / multiple) * multiple)}; or lower --depth"
                )
        check_model(model)
        if self.optimizer.blend and not model.start:
            raise UsageError(
                f"blend is {self.optimizer.blend:g}: a share of the weights that --start begins with; give --start too"
            )
        for name, pair in (("zoom", self.augment.zoom), ("aspect", self.augment.aspect)):
            if pair[0] > pair[1]:
                raise UsageError(f"{name} {pair[0]},{pair[1]}: give the smaller one first")
        parse_loss(self.loss.loss)

    def to_toml(self) -> str:
        """The file that repeats this recipe."""
        tables: dict[str, Any] = {}
        for section, kind in SECTIONS.items():
            part = getattr(self, section)
            values = {f.name: _plain(getattr(part, f.name)) for f in dataclasses.fields(kind)}
            tables.update(values if section == "run" else {section: values})
        tables["data"] = [
            {f.name: _plain(v) for f in dataclasses.fields(Source) if (v := getattr(source, f.name)) != _default(f)}
            for source in self.data
        ]
        return toml_text(tables)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _default(f: dataclasses.Field[Any]) -> Any:
    return {} if f.name == "split" else f.default


def read_recipe(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: path of a TOML file, or the name of one that ships, such as "driving-fast".

    Raises:
        UsageError: there is no such file, it is no TOML, or it holds a key or value that means nothing.
    """
    path = shipped_or_own(name, SHIPPED)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        ships = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise UsageError(f"{path}: recipe cannot be read ({error.strerror}); there ship: {ships}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a recipe: is no UTF-8 text") from error
    try:
        recipe = _from_tables(tomllib.loads(text))
        recipe.check()
        return recipe
    except (tomllib.TOMLDecodeError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(f"{path}: not a recipe: {error}") from error


def is_model_file(start: Path) -> bool:
    """Whether what a recipe starts with is an .onnx file rather than a run or a recipe."""
    return start.suffix.lower() == ".onnx"


def shipped_file(name: str) -> Path:
    """The .onnx file that a recipe names: as it stands, or, where no such file lies here, the one that ships."""
    path = Path(name)
    ships = () if path.exists() or len(path.parts) > 1 else shipped_models()
    return next((one for one in ships if one.name == name), path)


def shipped_name(recipe: Recipe) -> str:
    """Name of the shipped recipe that says the same; "" without one.

    Where data, start and teacher lie does not count, nor whether optional data was there, nor the arithmetic, which the
    recipes leave to the machine.
    """

    def bare(one: Recipe) -> Recipe:
        data = tuple(dataclasses.replace(s, path="") for s in one.data if not s.optional)
        model, loss = dataclasses.replace(one.model, start=""), dataclasses.replace(one.loss, teacher="")
        optimizer = dataclasses.replace(one.optimizer, precision="auto")
        return dataclasses.replace(one, data=data, model=model, loss=loss, optimizer=optimizer)

    same = (file.stem for file in sorted(SHIPPED.glob("*.toml")) if bare(read_recipe(str(file))) == bare(recipe))
    return next(same, "")


def _from_tables(tables: dict[str, Any]) -> Recipe:
    tables = dict(tables)
    data = []
    for item in tables.pop("data", []):
        if missing := [key for key in ("kind", "path") if key not in item]:
            raise ValueError(f"[[data]] without '{missing[0]}'")
        Split(**{"by": "given", **item.get("split", {})})
        data.append(_filled(Source, item, "data"))
    parts = {
        section: _filled(kind, tables.pop(section, {}), section)
        for section, kind in SECTIONS.items()
        if section != "run"
    }
    return Recipe(tuple(data), _filled(Run, tables, "the top level"), **parts)


def _filled(kind: type, values: Mapping[str, Any], where: str) -> Any:
    """A dataclass from a table. Raises: ValueError for a key it does not have or a value of another type."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    clean: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise ValueError(f"'{key}' means nothing in {where}")
        clean[key] = typed(key, value, str(fields[key].type))
        choices = fields[key].metadata.get("choices")
        if choices and clean[key] not in choices:
            raise ValueError(f"{key} = '{value}'; choose {', '.join(choices)}")
    return kind(**clean)
