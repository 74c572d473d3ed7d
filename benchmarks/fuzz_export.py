"""Thousands of spoilt inputs through the export: no crash, no hang, no leak, nothing left behind, no "unexpected".

Input number N is the same in every run: seeds are the inputs of tests.faithful and the files of the folders given.
What is done is logged, and a run that is started again goes on behind it. Findings are kept, some of each kind.

python -m benchmarks.fuzz_export [../shared/failing] --count 10000 --out out/fuzz
python -m benchmarks.fuzz_export --out out/fuzz --show          # what was found so far
python -m benchmarks.fuzz_export --out out/fuzz --again 1234    # one input once more
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from collections import Counter, defaultdict
from dataclasses import asdict, replace
from pathlib import Path

import click

from tests.faithful.cases import case_of
from tests.faithful.fuzzing import Attempt, Verdict, Worker, clean, spoil
from tests.faithful.matrix import recipes
from tests.faithful.troubles import TROUBLES
from tests.models import color_model

BY_COMMAND_EVERY = 100
KEPT_OF_A_KIND = 3
WARM = 50
"""Exports after which a process has its usual size."""
GROWTH_MIB = 100.0
"""What it may grow by afterwards, in the rest of its life of 400 exports."""


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--count", default=10_000, help="Inputs in all.")
@click.option("--workers", default=1, type=click.IntRange(1, 2), help="Processes at a time.")
@click.option("--limit", "limit_s", default=60.0, help="Seconds that one export may take.")
@click.option(
    "--out", default=Path("out/fuzz"), type=click.Path(path_type=Path), help="Folder of seeds, log, findings."
)
@click.option("--suffixes", default=".mp4", help="Of the results, by turns, with commas.")
@click.option("--show", is_flag=True, help="Only print what was found so far.")
@click.option("--again", type=int, default=None, help="Run this input alone.")
def main(folders: tuple[Path, ...], count: int, workers: int, limit_s: float, out: Path, suffixes: str, show: bool,
         again: int | None) -> None:  # fmt: skip
    os.environ["XDG_CACHE_HOME"] = str((out / "cache").resolve())
    out.mkdir(parents=True, exist_ok=True)
    run = Run(out, _seeds(out, folders) if not show else [], suffixes.split(","), limit_s)
    if again is not None:
        verdict = run.one(Worker(limit_s=limit_s), again, "again")
        click.echo(f"{verdict}\n{verdict.trace}")
        return
    if not show:
        run.all(count, workers)
    _print(run.read())


class Run:
    """A run of the fuzzer in its folder."""

    def __init__(self, out: Path, seeds: list[Path], suffixes: list[str], limit_s: float) -> None:
        self._out = out
        self._log = out / "log.jsonl"
        self._seeds = seeds
        self._suffixes = suffixes
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._kinds: Counter[str] = Counter(verdict.signature for verdict in self.read())
        self._model = out / "colors.onnx"
        if not self._model.exists():
            color_model(self._model)

    def read(self) -> list[Verdict]:
        """What is in the log."""
        if not self._log.exists():
            return []
        found = []
        for line in self._log.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # the last line of a run that was killed
                found.append(Verdict(**json.loads(line)))
        return found

    def all(self, count: int, workers: int) -> None:
        done = {verdict.number for verdict in self.read()}
        todo = iter([number for number in range(count) if number not in done])
        started_s = time.perf_counter()
        made = [0]

        def work(name: str) -> None:
            worker = Worker(limit_s=self._limit_s)
            try:
                while True:
                    with self._lock:
                        number = next(todo, None)
                    if number is None:
                        return
                    self._keep(self.one(worker, number, name))
                    made[0] += 1
                    if made[0] % 100 == 0:
                        rate = made[0] / (time.perf_counter() - started_s)
                        click.echo(f"{len(done) + made[0]} of {count}, {rate:.1f} a second")
            finally:
                worker.close()

        threads = [threading.Thread(target=work, args=(f"work{k}",), daemon=True) for k in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def one(self, worker: Worker, number: int, name: str) -> Verdict:
        """Make input `number`, export it, remove both."""
        data, suffix, origin = spoil(self._seeds, number)
        folder = clean(self._out / name)
        source = folder / f"in{suffix}"
        source.write_bytes(data)
        results = self._suffixes[number % len(self._suffixes)]
        by_command = number % BY_COMMAND_EVERY == 0
        started_s = time.perf_counter()
        verdict = worker.run(Attempt(number, source, folder, self._model, results, by_command, self._limit_s))
        verdict = replace(verdict, origin=origin, seconds=round(time.perf_counter() - started_s, 3))
        if verdict.bad and self._kinds[verdict.signature] < KEPT_OF_A_KIND:
            (self._out / "findings").mkdir(exist_ok=True)
            shutil.copy(source, self._out / "findings" / f"{verdict.kind.replace(' ', '_')}-{number}{suffix}")
        shutil.rmtree(folder, ignore_errors=True)
        return verdict

    def _keep(self, verdict: Verdict) -> None:
        with self._lock:
            self._kinds[verdict.signature] += 1
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(asdict(verdict)) + "\n")


def _seeds(out: Path, folders: tuple[Path, ...]) -> list[Path]:
    """The inputs of the tests, made once, and the files of the folders, in a fixed order."""
    folder = out / "seeds"
    if not (folder / "done").exists():
        clean(folder)
        for case in (*map(case_of, recipes()), *TROUBLES):
            made = case.make(clean(folder / "under_way"))
            made.rename(folder / f"{case.name}{made.suffix}")
        for given in folders:
            for file in sorted(given.iterdir()):
                if file.suffix not in (".md", ".txt"):
                    shutil.copyfile(file, folder / f"given-{file.name}")
        shutil.rmtree(folder / "under_way")
        (folder / "done").touch()
    return sorted(path for path in folder.iterdir() if path.name != "done")


def _print(verdicts: list[Verdict]) -> None:
    kinds = Counter(verdict.kind for verdict in verdicts)
    click.echo(f"\n{len(verdicts)} inputs: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.bad:
            groups[verdict.signature].append(verdict)
    for signature, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        click.echo(f"{len(group):6} {signature}\n       e.g. {group[0].number} ({group[0].origin})")
    if verdicts:
        slowest = sorted(verdicts, key=lambda verdict: -verdict.seconds)[:3]
        click.echo("slowest: " + ", ".join(f"{v.seconds:.1f} s ({v.number}, {v.kind})" for v in slowest))
    for life in _lives(verdicts):
        warm, last = life[WARM], life[-1]
        grown = last.memory_mib - warm.memory_mib
        word = "GROWS" if grown > GROWTH_MIB else "memory"
        memory = f"{warm.memory_mib:.0f} → {last.memory_mib:.0f} MiB, {warm.files} → {last.files} open files"
        click.echo(f"{word}: {memory}, {warm.threads} → {last.threads} threads over {len(life) - WARM} exports")


def _lives(verdicts: list[Verdict]) -> list[list[Verdict]]:
    """Runs of exports within one process, where there was one at a time; only those long enough to say something."""
    lives: list[list[Verdict]] = [[]]
    for verdict in verdicts:
        lives[-1].append(verdict)
        if verdict.kind in ("crash", "hang") or len(lives[-1]) == 400:
            lives.append([])
    return [life for life in lives if len(life) > 2 * WARM and life[-1].kind not in ("crash", "hang")]


if __name__ == "__main__":
    main()
