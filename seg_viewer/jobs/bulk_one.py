"""One export of many: what it says on its way, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from seg_viewer.core.errors import SegViewerError, last_words
from seg_viewer.jobs.export import ExportCancelled, ExportJob, ExportProgress, ExportResult, run_export
from seg_viewer.jobs.manifest import is_done
from seg_viewer.sources import open_source

NOTHING_KEPT = "nothing was left behind"
NOT_BEGUN = "was not begun"
_PROGRAM = "seg-viewer"


class Ending(StrEnum):
    """How a job ended."""

    DONE = "done"
    SKIPPED = "done already"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class BulkResult:
    """What became of one job.

    Args:
        number: of the job, counted from 0.
        ending: how it ended.
        result: what it made, or None.
        problem: why it failed or stopped and what is kept, one line; "" where it did not.
    """

    number: int
    ending: Ending
    result: ExportResult | None = None
    problem: str = ""


@dataclass(frozen=True)
class BulkEvent:
    """Something that happened to one job. With none of the last three it was begun.

    Args:
        number: of the job, counted from 0.
        progress: how far it is.
        loading: what is made ready before its first frame, and how far that is, one line.
        result: it ended.
    """

    number: int
    progress: ExportProgress | None = None
    loading: str = ""
    result: BulkResult | None = None


OnEvent = Callable[[BulkEvent], None]


def run_one(
    number: int,
    job: ExportJob,
    *,
    on_event: OnEvent = lambda _event: None,
    cancelled: Callable[[], bool] = lambda: False,
    go_on: Callable[[], bool] = lambda: True,
) -> BulkResult:
    """Run one job of many on this thread; what it raises becomes its result.

    A job whose manifest says that it is done is skipped, unless it may overwrite.

    Args:
        number: of the job.
        job: what is to be done.
        on_event: told that it begins, how far it is, and how it ended; what concerns loading, on another thread.
        cancelled: asked after every frame; when it says so, nothing of this job is kept.
        go_on: asked while an engine is made ready; False gives up, and what `resume` can use is kept.

    Raises: KeyboardInterrupt as `run_export`, after its end was told.
    """

    def on_loading(what: str, share: float) -> bool:
        on_event(BulkEvent(number, loading=f"{what} {100 * share:.0f} %"))
        return go_on()

    on_event(BulkEvent(number))
    try:
        if done_already(job):
            ended = BulkResult(number, Ending.SKIPPED)
        else:
            result = run_export(
                job,
                on_progress=lambda progress: on_event(BulkEvent(number, progress)),
                on_loading=on_loading,
                cancelled=cancelled,
            )
            ended = BulkResult(number, Ending.DONE, result)
    except ExportCancelled as error:
        ended = BulkResult(number, Ending.STOPPED, problem=str(error))
    except KeyboardInterrupt as error:
        on_event(BulkEvent(number, result=BulkResult(number, Ending.STOPPED, problem=str(error) or NOTHING_KEPT)))
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the jobs after it are run
        ended = BulkResult(number, Ending.FAILED if go_on() else Ending.STOPPED, problem=problem_of(error))
    on_event(BulkEvent(number, result=ended))
    return ended


def problem_of(error: BaseException) -> str:
    """What went wrong, on one line, without passwords."""
    return last_words(error, _PROGRAM)[0].removeprefix(f"{_PROGRAM}: ")


def done_already(job: ExportJob) -> bool:
    """Whether its manifest says so, and it may not overwrite. What is wrong with it is found out when it is run."""
    if job.overwrite:
        return False
    try:
        spec = job.options.read_spec()
        with closing(open_source(job.source, job.stream)) as source:
            return is_done(job, job.key(source.info.fingerprint, spec.sha256))
    except SegViewerError:
        return False
