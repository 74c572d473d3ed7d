"""Many exports in a row, or some at a time: goes on after one that fails, and skips what was done before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from seg_viewer.jobs.bulk_one import NOT_BEGUN, BulkEvent, BulkResult, Ending, OnEvent, run_one
from seg_viewer.jobs.bulk_processes import run_in_processes
from seg_viewer.jobs.export_job import ExportJob

__all__ = ["BulkEvent", "BulkResult", "Ending", "OnEvent", "run_bulk", "run_one"]


def run_bulk(
    jobs: Sequence[ExportJob],
    *,
    workers: int = 1,
    on_event: OnEvent = lambda _event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[BulkResult, ...]:
    """Run all jobs; one that fails does not keep the others from being run.

    Args:
        jobs: what is to be done, in this order.
        workers: how many run at a time. One runs in this process; several have a process and a share of the
            processor's cores each.
        on_event: told what happens; on this thread, or with one worker also on another.
        cancelled: asked often; when it says so, what is under way stops, leaves nothing, and the rest is not begun.

    Returns:
        One result for each job, in their order.

    Raises:
        KeyboardInterrupt: Ctrl-C; what is under way has stopped then, and kept what `resume` can go on with. Each
            job's end was told to `on_event`; the text says how many are done.
    """
    ended: dict[int, BulkResult] = {}

    def hear(event: BulkEvent) -> None:
        if event.result is not None:
            ended[event.number] = event.result
        on_event(event)

    try:
        if min(workers, len(jobs)) > 1:
            run_in_processes(jobs, workers, hear, cancelled)
        else:
            waiting = deque(enumerate(jobs))
            while waiting and not cancelled():
                run_one(*waiting.popleft(), on_event=hear, cancelled=cancelled)
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(_stopped(jobs, ended)) from error
    finally:
        for number in range(len(jobs)):
            if number not in ended:
                hear(BulkEvent(number, result=BulkResult(number, Ending.STOPPED, problem=NOT_BEGUN)))
    return tuple(ended[number] for number in range(len(jobs)))


def _stopped(jobs: Sequence[ExportJob], ended: dict[int, BulkResult]) -> str:
    done = sum(result.ending in (Ending.DONE, Ending.SKIPPED) for result in ended.values())
    return f"{done} of {len(jobs)} are done; the same command with --resume goes on with the others"
