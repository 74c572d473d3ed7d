"""What works on this machine's NVIDIA GPU, as a report to paste: facts, the tests marked gpu, the benchmark.

python -m benchmarks.gpu_report [FILE]      (make test-gpu)
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
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
_LONGEST_S = 1800  # TensorRT may build for minutes


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


def _ran(*arguments: str) -> tuple[int, str]:
    try:
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 1, f"stopped after {_LONGEST_S} s"
    return done.returncode, (done.stdout + done.stderr).strip()


def _cuda_provider() -> list[str]:
    """ONNX Runtime's CUDA provider on both shipped models, where there is one: bare and through the pipeline."""
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return ["ONNX Runtime's CUDA provider: not there (pip install onnxruntime-gpu)"]
    told = []
    for path in shipped_models():
        choice = ("--engine", "onnxruntime", "--device", "CUDA", "--model", str(path), "--frames", "300")
        told.append(f"{path.stem}, CUDA provider:\n" + _ran("-m", "seg_viewer", "bench", "demo", *choice)[1])
    return told


def report() -> tuple[int, str]:
    """Exit code of the tests, and the report in Markdown."""
    code, tests = _ran("-m", "pytest", "-m", "gpu", "-rA", "--tb=short", "-p", "no:cacheprovider", "-q")
    if " passed" not in tests:
        code, tests = code or 1, tests + "\nNothing of it ran on a GPU: the reasons stand above."
    serving = [choice.name for choice in available_engines() if choice.name in _ENGINES and choice.devices]
    benches = [_ran("-m", "benchmarks.gpu", "--engine", name)[1] for name in serving or _ENGINES[:1]]
    bench = "\n\n".join([*benches, *_cuda_provider()])
    text = "\n".join(
        ["## GPU report", "", *facts(), "", "### Tests", "", "```", tests, "```", "", "### Benchmark", "", "```", bench]
    )
    return code, text + "\n```\n"


@click.command(help=__doc__)
@click.argument("file", default="out/gpu-report.md", type=click.Path(dir_okay=False, path_type=Path))
def main(file: Path) -> None:
    code, text = report()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    click.echo(text)
    click.echo(f"Written to {file}: paste it into an issue.")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
