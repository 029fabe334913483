"""Before anything is graded: references must pass and wrong programs fail, through the same jails; and how long they take."""

from collections.abc import Sequence

from benchmarks.contract import Problem
from sandbox.contract import Limits
from sandbox.judging.verdict import INFRA_ERROR, PASS
from seedkit.errors import RunError

from evaluation.grading.settings import GradingSettings
from evaluation.grading.workers import Job, Workers

REFERENCE_SECONDS = 60.0  # a reference that takes longer is no reference
WRONG = 8  # wrong programs that must fail
RETRIES = 2  # of an infra_error, alone on the machine


def controls(
    settings: GradingSettings, problems: Sequence[Problem], needed: Sequence[int], workers: Workers
) -> dict[int, float]:
    """Run the references, and some wrong programs; returns the time limit of each needed problem in seconds."""
    limits = Limits(REFERENCE_SECONDS, settings.memory)
    solved = [place for place in needed if problems[place].reference]
    if not solved:
        raise RunError("nothing is graded: there is no reference to show that grading works here")
    wrong = [needed[len(needed) * n // WRONG] for n in range(WRONG)] if len(needed) > WRONG else needed
    jobs = [Job((place, True), place, problems[place].reference, limits) for place in solved]
    jobs += [Job((place, False), place, problems[place].wrong, limits) for place in wrong]
    found = {job.name: outcome for job, outcome in workers.judge(jobs)}
    for _ in range(RETRIES):
        again = [job for job in jobs if found[job.name].name == INFRA_ERROR]
        found |= {job.name: outcome for job, outcome in workers.judge(again, count=1)}
    bad = [name for name, outcome in found.items() if (outcome.name == PASS) != name[1] or outcome.name == INFRA_ERROR]
    if bad:
        place, right = bad[0]
        outcome = found[bad[0]]
        what = "the reference must pass" if right else "a wrong program must fail"
        why = outcome.stderr.splitlines()[0] if outcome.stderr else ""
        raise RunError(
            f"nothing is graded: {len(bad)} of {len(found)} controls went wrong, e.g. {problems[place].task_id}: {what}, "
            f"got {outcome.name} {why}".strip()
        )
    return {
        place: max(settings.min_seconds, settings.time_factor * (found[place, True].seconds if place in solved else 0))
        for place in needed
    }
