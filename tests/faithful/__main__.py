"""The table: every input, its export, and what is true of the result.

python -m tests.faithful                          # the chosen inputs and the troubles
python -m tests.faithful ../shared/failing        # and the files of folders
python -m tests.faithful --chance 500 --seed 3    # any inputs that can be made
python -m tests.faithful --only spliced --suffix .mkv
python -m tests.faithful --probe source.mp4 result.mp4
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from tests.faithful.cases import Report, case_of, judge, run_case
from tests.faithful.compare import sound_offset_s, times_off
from tests.faithful.covering import by_chance
from tests.faithful.exports import export_by_command, export_here
from tests.faithful.matrix import recipes
from tests.faithful.measure import Measure, Unmeasurable, measure
from tests.faithful.recipe import Recipe
from tests.faithful.troubles import TROUBLES, Trouble
from tests.models import color_model

COLUMNS = ("input", "frames", "times", "sound offset", "sound length", "aspect", "tags", "told", "verdict")
REFUSED = {"unk_video.mp4": "codec|decod|zzzz", "089_header.mp4": "."}
"""Files of the shared folder that are rightly refused, and the words of it."""


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--probe", nargs=2, type=click.Path(exists=True, path_type=Path), help="Two files side by side.")
@click.option("--only", default="", help="Inputs whose name holds this.")
@click.option("--chance", default=0, help="As many inputs by chance, instead of the chosen ones.")
@click.option("--seed", default=0, help="Of that chance.")
@click.option("--suffix", default=".mp4", help="Of the results.")
@click.option("--by-command", is_flag=True, help="Each export in a process of its own, as typed.")
@click.option("--markdown", is_flag=True, help="The table in Markdown.")
def main(
    folders: tuple[Path, ...],
    probe: tuple[Path, Path] | None,
    only: str,
    chance: int,
    seed: int,
    suffix: str,
    by_command: bool,
    markdown: bool,
) -> None:
    if probe:
        _print_probe(*probe)
        return
    export = export_by_command if by_command else export_here
    reports = []
    with tempfile.TemporaryDirectory() as scratch:
        model = color_model(Path(scratch) / "colors.onnx")
        for number, (case, file) in enumerate(_cases(folders, only, by_chance(chance, seed))):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            if file is None:
                report = run_case(case, folder, model, export=export, suffix=suffix)
            else:
                report = judge(
                    case, Path(shutil.copy(file, folder / file.name)), folder, model, export=export, suffix=suffix
                )
            reports.append(report)
            if not markdown:
                _print_plain(report)
            shutil.rmtree(folder)
    if markdown:
        _print_markdown(reports)
    wrong = sum(bool(report.faults) for report in reports)
    click.echo(f"\n{len(reports)} inputs: {len(reports) - wrong} right, {wrong} not")


def _cases(folders: tuple[Path, ...], only: str, drawn: list[Recipe]) -> Iterator[tuple[Trouble, Path | None]]:
    for folder in folders:
        for file in sorted(folder.iterdir() if folder.is_dir() else [folder]):
            if file.suffix.lower() not in (".md", ".txt", ".json") and only in file.name:
                yield _of_file(file), file
    for case in map(case_of, drawn) if drawn else (*map(case_of, recipes()), *TROUBLES):
        if only in case.name:
            yield case, None


def _of_file(file: Path) -> Trouble:
    refuse = REFUSED.get(file.name, "")
    return Trouble(file.name, lambda _folder: file, refuse=refuse, ours=False)


def row(report: Report) -> tuple[str, ...]:
    """A line of the table, in the order of `COLUMNS`."""
    source, result = report.source, report.result
    told = "; ".join(report.outcome.told) or report.outcome.error
    verdict = "; ".join(map(str, report.faults)) or ("right" if report.outcome.path else "rightly refused")
    if source is None or result is None:
        return (report.name, *["–"] * 6, told, verdict)
    off = times_off(source, result)
    return (
        report.name,
        _change(len(source.times_s), len(result.times_s)),
        "equal" if not off and len(source.times_s) == len(result.times_s) else f"{len(off)} off",
        _offsets(source, result),
        ", ".join(f"{b.length_s - a.length_s:+.3f} s" for a, b in zip(source.sounds, result.sounds, strict=False))
        or "–",
        _change(f"{source.aspect:.3f}", f"{result.aspect:.3f}"),
        _change(_tags(source), _tags(result)),
        told,
        verdict,
    )


def _change(was: object, now: object) -> str:
    return str(was) if was == now else f"{was} → {now}"


def _tags(measure: Measure) -> str:
    tags = measure.tags
    return f"{tags.primaries}/{tags.transfer}/{tags.matrix}{' full' if tags.full else ''} {tags.bits} bit"


def _offsets(source: Measure, result: Measure) -> str:
    offsets = [sound_offset_s(a, b, source, result) for a, b in zip(source.sounds, result.sounds, strict=False)]
    shown = ["?" if offset is None else f"{offset * 1000:+.1f} ms" for offset in offsets]
    lost = len(source.sounds) - len(result.sounds)
    return ", ".join([*shown, *([f"{lost} lost"] if lost > 0 else [])]) or "–"


def _print_plain(report: Report) -> None:
    values = row(report)
    click.echo(f"{values[0]:44} " + "  ".join(values[1:-2]))
    click.echo(f"    told: {values[-2]}")
    for fault in report.faults:
        click.secho(f"    {fault}", fg="red")


def _print_markdown(reports: list[Report]) -> None:
    click.echo("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for report in reports:
        click.echo("| " + " | ".join(text.replace("|", "\\|") for text in row(report)) + " |")


def _print_probe(*files: Path) -> None:
    """Both files, a fact a line."""
    held = []
    for file in files:
        try:
            held.append(dict(_facts(measure(file))))
        except Unmeasurable as error:
            held.append({"error": str(error)})
    names = list(dict.fromkeys(name for facts in held for name in facts))
    width = max((len(text) for text in held[0].values()), default=0)
    width = min(60, max(width, len(files[0].name)))
    click.echo(f"{'':18}{files[0].name:{width}}  {files[1].name}")
    for name in names:
        one, other = (facts.get(name, "–") for facts in held)
        click.echo(f"{name:18}{one:{width}}  {other}{'' if one == other else '  *'}")


def _facts(measured: Measure) -> Iterator[tuple[str, str]]:
    for name in ("container", "codec"):
        yield name, str(getattr(measured, name))
    yield "size", f"{measured.width}×{measured.height}"
    yield "shown as", f"{measured.aspect:.4f}"
    yield "frames", str(len(measured.times_s))
    yield "first, last", f"{measured.start_s:.4f}, {float(measured.times_s[-1]):.4f} s"
    yield "length", f"{measured.length_s:.4f} s"
    yield "tags", _tags(measured)
    yield "interlaced", str(measured.interlaced)
    yield "flashes", ", ".join(f"{time:.4f}" for time in measured.flashes_s)
    for number, track in enumerate(measured.sounds, 1):
        yield f"sound {number}", f"{track.codec} {track.rate} Hz {track.layout} {track.language}".strip()
        yield f"  from, to {number}", f"{track.start_s:.4f}, {track.end_s:.4f} s"
        yield f"  beeps {number}", ", ".join(f"{time:.4f}" for time in track.beeps_s)
    for number, (language, texts) in enumerate(measured.subtitles, 1):
        yield f"subtitles {number}", f"{language} {len(texts)} lines"
    for number, (start, end, title) in enumerate(measured.chapters, 1):
        yield f"chapter {number}", f"{start:.2f}, {end:.2f} s {title}"
    yield from measured.metadata.items()
    rest: dict[str, Any] = {
        f.name: getattr(measured, f.name) for f in fields(measured) if f.name in ("seams", "damaged")
    }
    for name, value in (rest | measured.extras).items():
        if value:
            yield name, str(value)


if __name__ == "__main__":
    main()
