"""Before anything is graded: references must pass and wrong programs fail, in the same sandbox. Their times set the limits."""

from collections.abc import Sequence

from benchmarks.contract import Problem
from sandbox.contract import Limits
from sandbox.judging.verdict import INFRA_ERROR, PASS
from seedkit.display import Progress
from seedkit.errors import RunError

from evaluation.grading.settings import GradingSettings
from evaluation.grading.workers import JudgeJob, JudgePool

REFERENCE_SECONDS = 60.0  # time limit of a reference
WRONG = 8  # wrong programs that must fail
RETRIES = 2  # of an infra_error, with nothing else running


def controls(
    settings: GradingSettings, least_s: float, problems: Sequence[Problem], needed: Sequence[int], pool: JudgePool
) -> dict[int, float]:
    """Run the references and some wrong programs of the problems with the `needed` indices.

    Returns the time limit of each needed problem in seconds, by index: time_factor times what its reference took here, and
    at least `least_s`. Raises RunError where a reference does not pass or a wrong program does.
    """
    limits = Limits(REFERENCE_SECONDS, settings.memory)
    solved = [index for index in needed if problems[index].reference]
    if not solved:
        raise RunError("nothing is graded: there is no reference to show that grading works here")
    wrong = [needed[len(needed) * n // WRONG] for n in range(WRONG)] if len(needed) > WRONG else needed
    # a job's name: the index of the problem, and whether the program is right
    jobs = [JudgeJob((index, True), index, problems[index].reference, limits) for index in solved]
    jobs += [JudgeJob((index, False), index, problems[index].wrong, limits) for index in wrong]
    verdicts = {}
    with Progress(f"{settings.benchmark}, controls", len(jobs), len(jobs), steady=True) as bar:
        for job, verdict in pool.judge(jobs):
            verdicts[job.name] = verdict
            bar.advance(1, 1)
    for _ in range(RETRIES):
        again = [job for job in jobs if verdicts[job.name].name == INFRA_ERROR]
        verdicts |= {job.name: verdict for job, verdict in pool.judge(again, count=1)}
    bad = [name for name, one in verdicts.items() if (one.name == PASS) != name[1] or one.name == INFRA_ERROR]
    if bad:
        index, right = bad[0]
        verdict = verdicts[bad[0]]
        expected = "the reference must pass" if right else "a wrong program must fail"
        why = verdict.stderr.splitlines()[0] if verdict.stderr else ""
        raise RunError(
            f"nothing is graded: {len(bad)} of {len(verdicts)} controls went wrong, e.g. {problems[index].task_id}: "
            f"{expected}, got {verdict.name} {why}".strip()
        )
    return {
        index: max(least_s, settings.time_factor * (verdicts[index, True].seconds if index in solved else 0))
        for index in needed
    }
