"""How much a study has to do: students, problems, and the seconds that they take by the settings' estimates."""

from studies.settings import Settings

# subsets a source: what the RQ scripts write
SUBSETS = {"RQ1": 3, "RQ3": 3}
PROBLEMS = {"humaneval": 164, "humaneval-plus": 164, "mbpp": 427, "mbpp-plus": 378, "livecodebench": 880}


def seconds(settings: Settings, what: str, count: float) -> float | None:
    """What `count` of these take; None where the settings do not say what one takes."""
    each = settings.estimates.get(what)
    return None if each is None else each * count


def problems(settings: Settings, most: int | None) -> int:
    """The problems of all benchmarks, of each at most so many. Benchmarks of unknown size count as none."""
    known = [PROBLEMS.get(name, 0) for name in settings.benchmarks]
    return sum(min(size, most) if most else size for size in known)


def subsets(settings: Settings) -> int:
    """The subsets of all sources, of each of which a student is trained."""
    from RQ2_composition.composition_mixer_steps import RATIOS
    from RQ4_breadth.shares import DOMAINS, SHARES

    flags = settings.flags
    counts = {
        **SUBSETS,
        "RQ2": len(RATIOS) * int(flags.get("composition_mixer", {}).get("num_draws", 3)),
        "RQ4": 1 + len(DOMAINS) * len(SHARES) * int(flags.get("domain_mixer", {}).get("num_draws", 3)),
    }
    found = sum(counts[question] for question in settings.questions)
    if "baseline_subsets" in flags:
        methods = flags["baseline_subsets"].get("method", ["random", "longest", "shortest", "ifd"])
        methods = methods if isinstance(methods, list) else [methods]
        found += sum(int(flags["baseline_subsets"].get("num_samples", 3)) if m == "random" else 1 for m in methods)
    return found * len(settings.sources)
