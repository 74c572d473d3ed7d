"""What works on this machine's NVIDIA GPU, as a report to paste: facts, the tests marked gpu, the benchmark.

python -m benchmarks.gpu_report [FILE] [--seconds 240]      (make test-gpu)
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from seg_viewer import __version__
from seg_viewer.core.assets import shipped_models
from seg_viewer.engines import available_engines

_ENGINES = ("tensorrt-rtx", "tensorrt")
_PACKAGES = (
    "tensorrt-rtx-cu13", "tensorrt", "tensorrt-cu13-libs", "tensorrt-cu13-bindings", "pycuda", "cuda-bindings",
    "onnxruntime", "onnxruntime-gpu",
)  # fmt: skip


def facts() -> list[str]:
    """System, GPU as its driver tells it, versions, and what each engine says of itself."""
    lines = [f"- seg_viewer {__version__}, Python {platform.python_version()}, {platform.platform()}"]
    smi = shutil.which("nvidia-smi")
    if smi:
        query = [smi, "--query-gpu=name,driver_version,memory.total,compute_cap", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False)
        lines += [f"- GPU: {line}" for line in done.stdout.strip().splitlines()]
    else:
        lines.append("- GPU: no nvidia-smi")
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    lines.append(f"- packages: {', '.join(found) or 'none of ' + ', '.join(_PACKAGES)}")
    for choice in available_engines():
        lines.append(f"- engine {choice.name}: {', '.join(choice.devices) or choice.problem}")
    return lines


class Budget:
    """Runs programs one after the other until the time for all of them is over.

    Args:
        seconds: for all.
    """

    def __init__(self, seconds: float) -> None:
        self._until_s = time.monotonic() + seconds

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of Python with these arguments; what there is no time for is said."""
        left_s = self._until_s - time.monotonic()
        what = " ".join(arguments[:2])
        if left_s < 1:
            return 1, f"{what}: not run, there was no time left"
        command = [sys.executable, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=left_s, check=False)
        except subprocess.TimeoutExpired:
            return 1, f"{what}: stopped, the time was over"
        return done.returncode, (done.stdout + done.stderr).strip()


def _cuda_provider(budget: Budget) -> list[str]:
    """ONNX Runtime's CUDA provider on both shipped models, where there is one: bare and through the pipeline."""
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return ["ONNX Runtime's CUDA provider: not there (pip install onnxruntime-gpu)"]
    told = []
    for path in shipped_models():
        choice = ("--engine", "onnxruntime", "--device", "CUDA", "--model", str(path), "--frames", "300")
        told.append(f"{path.stem}, CUDA provider:\n" + budget.run("-m", "seg_viewer", "bench", "demo", *choice)[1])
    return told


def report(budget: Budget) -> tuple[int, str]:
    """Exit code of the tests, and the report in Markdown."""
    code, tests = budget.run(
        "-m", "pytest", "tests/engines/nvidia", "-m", "gpu", "-rA", "--tb=short", "-p", "no:cacheprovider", "-q"
    )
    if " passed" not in tests:
        code, tests = code or 1, tests + "\nNothing of it ran on a GPU: the reasons stand above."
    serving = [choice.name for choice in available_engines() if choice.name in _ENGINES and choice.devices]
    told = _cuda_provider(budget)
    told += [budget.run("-m", "benchmarks.gpu", "--engine", name)[1] for name in serving or _ENGINES[:1]]
    bench = "\n\n".join(told)
    text = "\n".join(
        ["## GPU report", "", *facts(), "", "### Tests", "", "```", tests, "```", "", "### Benchmark", "", "```", bench]
    )
    return code, text + "\n```\n"


@click.command(help=__doc__)
@click.argument("file", default="out/gpu-report.md", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--seconds", default=240, show_default=True, type=click.IntRange(10), help="For all of it.")
def main(file: Path, seconds: int) -> None:
    code, text = report(Budget(seconds))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    click.echo(text)
    click.echo(f"Written to {file}: paste it into an issue.")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
