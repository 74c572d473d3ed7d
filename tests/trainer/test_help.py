"""The command line itself: help in groups, examples that work, underscores, typos that are named at once."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from seg_viewer.cli.main import cli as viewer
from trainer.cli import main as trainer
from trainer.commands.help import MORE, Command
from trainer.recipe import SECTIONS, Recipe

PROGRAMS: dict[str, click.Group] = {"seg-trainer": trainer, "seg-viewer": viewer}
COMMANDS = sorted((program, name) for program, group in PROGRAMS.items() for name in group.commands)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(trainer, [str(argument) for argument in arguments])


def _parsed(program: str, name: str, words: list[str]) -> dict[str, object]:
    """What a command makes of a command line, without running it."""
    group = PROGRAMS[program]
    with group.make_context(program, [name], resilient_parsing=True) as above:
        above.token_normalize_func = group.context_settings.get("token_normalize_func")
        with group.commands[name].make_context(name, words, parent=above) as context:
            return context.params


def _value(param: click.Option) -> list[str]:
    if param.is_flag or param.count:
        return []
    if isinstance(param.type, click.Choice):
        return [str(param.type.choices[0])]
    if isinstance(param.type, click.types.IntParamType | click.types.FloatParamType):
        return ["1"] if not isinstance(param.type, click.FloatRange) else ["0.5"]
    return ["64x32"] if param.metavar == "WIDTHxHEIGHT" else ["1,2"] if "VALUES" in param.type.name else ["x"]


@pytest.mark.parametrize(("program", "name"), COMMANDS)
def test_every_option_may_be_written_with_underscores(program: str, name: str) -> None:
    command = PROGRAMS[program].commands[name]
    takes = [param for param in command.params if isinstance(param, click.Argument) and param.required]
    arguments = ["x"] * sum(max(1, param.nargs) for param in takes)
    needed = [word for param in command.params if isinstance(param, click.Option) and param.required
              for word in (param.opts[-1], "x")]  # fmt: skip
    for param in command.params:
        for option in (*param.opts, *param.secondary_opts):
            if not isinstance(param, click.Option) or "-" not in option[2:]:
                continue
            wanted = _parsed(program, name, [option, *_value(param), *needed, *arguments])
            assert _parsed(program, name, [option.replace("-", "_").replace("__", "--", 1), *_value(param), *needed,
                                           *arguments]) == wanted, option  # fmt: skip


@pytest.mark.parametrize(("program", "name"), COMMANDS)
def test_help_has_a_short_name_with_and_without_the_program_before_it(program: str, name: str) -> None:
    group = PROGRAMS[program]
    alone, of_program = (CliRunner().invoke(group.commands[name], ["-h"]), CliRunner().invoke(group, [name, "-h"]))
    assert (alone.exit_code, of_program.exit_code) == (0, 0)
    assert "-h, --help" in alone.output and "-h, --help" in of_program.output


def test_only_options_are_read_so(tmp_path: Path) -> None:
    given = _parsed("seg-trainer", "train", ["--data=a_b", "--batch_size=4", "--run", "c_d", "--precision",
                                             "mixed_float16", "--", "e_f"])  # fmt: skip
    assert (given["data"], given["batch_size"], given["recipe"]) == (("a_b",), 4, "e_f")
    assert given["run"] == Path("c_d") and given["precision"] == "mixed_float16"
    assert "No such option '--batch_sise'" in run("train", "--batch_sise", 4).output


@pytest.mark.parametrize("name", sorted(trainer.commands))
def test_help_has_groups_and_examples_that_parse(name: str) -> None:
    command = trainer.commands[name]
    assert isinstance(command, Command) and command.examples
    for example in command.examples:
        program, command_name, *words = shlex.split(example.line)
        assert (program, command_name) == ("seg-trainer", name)
        _parsed(program, name, words)
    text = run(name, "--help").output
    for example in command.examples:
        assert f"  {example.line}\n" in text and example.does in text
    options = [param for param in command.params if isinstance(param, click.Option)]
    groups = {getattr(param, "group", MORE) for param in options}
    assert len(options) <= 8 or (len(groups) >= 3 and MORE not in groups), "a long list without headings"
    for group in groups - {MORE}:
        assert f"\n{group}:\n" in text
    for param in options:
        assert len(re.findall(rf"^  (-\w, )?{param.opts[-1]}(?![\w-])", text, re.M)) == 1


def test_the_groups_of_train_are_those_of_the_recipe() -> None:
    text = run("train", "--help").output
    places = [text.index(f"\n{title}:\n") for title in ("Data", "Network", "Run folder", "More")]
    assert places == sorted(places)
    network = text[text.index("\nNetwork:") : text.index("\nOptimizer")]
    for name in SECTIONS["model"].__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in network
    assert "default: 256x192" in text and "[default: ]" not in text


TYPOS = {
    ("--loss", "luck"): "'luck' is none of ce",
    ("--loss", "ce+0.5dice"): "'0.5dice' is none of ce",
    ("--ema", "1"): "ema is 1; it must be at least 0 and below 1",
    ("--warmup", "-5"): "warmup is -5; it must be at least 0",
    ("--seed", "-1"): "seed is -1",
    ("--blend", "0.5"): "blend is 0.5: a share of the weights that --start begins with; give --start too",
    ("--class-weights", "1,2"): "2 class weights for 4 classes: background, road, car, person",
    ("--class-weights", "1,x"): "is not a list such as 1,2,3",
    ("--rare", "lorry"): "rare: no class 'lorry'",
    ("--paste", "0.5"): "paste: say which classes",
    ("--details", "strets"): "strets",
    ("--labels", "drivin"): "drivin",
    ("--start", "gone"): "gone.toml: recipe cannot be read",
    ("--start", "{tmp}"): "holds no recipe.toml; give the folder of a run",
    ("--start", "gone.onnx"): "gone.onnx",
    ("--teacher", "{tmp}"): "holds no recipe.toml; give the folder of a run",
    ("--run", "{tmp}/file/run"): "file: is a file; give another folder with --run",
    ("--optimizer", "adamm"): "is not one of",
    ("--size", "100x64"): "needs multiples of",
}


@pytest.mark.parametrize("words", TYPOS, ids=" ".join)
def test_typos_are_told_before_the_pictures_are_looked_at(
    words: tuple[str, str], recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "r.toml").write_text(recipe.to_toml(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    looked: list[object] = []
    monkeypatch.setattr("trainer.training.run.check.scan_all", lambda *given: looked.append(given))
    option, value = words
    result = run("train", "r.toml", "--run", "run", option, value.format(tmp=tmp_path))
    assert result.exit_code == 2 or (option == "--start" and "onnx" in value and result.exit_code == 1), result.output
    assert TYPOS[words] in result.output and "Traceback" not in result.output
    assert not looked and not (tmp_path / "run").exists()
