"""What the name of a data file says: which research question it belongs to, which subset it is, and which draw of the data."""

import re

# the files that the scripts of RQ1 to RQ4 and of baselines write; `draw` is the number of the data's repeat
_TERTILE = "(?P<subset>T1_LOWER|T2_MIDDLE|T3_HIGHER)"
# of tertiles, which their source tells too: EVOL_MATCHED, EVOL_SUBSAMPLED
_KIND = r"(?:_K_CENTER)?(?:_MATCHED)?(?:_subsample_(?P<draw>\d+))?"
STUDY_FILES = [
    re.compile(pattern)
    for pattern in (
        rf"(?P<rq>RQ1)_COMPLEXITY_{_TERTILE}{_KIND}",
        r"(?P<rq>RQ2)_COMPOSITION_(?P<subset>ALG_\d+_PRAC_\d+)_repeat(?P<draw>\d+)",
        rf"(?P<rq>RQ3)_DIVERSITY_{_TERTILE}{_KIND}",
        r"(?P<rq>RQ4)_BREADTH_(?P<subset>CODE_\d+)(?:_subsample_(?P<draw>\d+))?",
        r"(?P<rq>RQ4)_BREADTH_(?P<subset>CODE_\d+_(?:GENERAL|MATH)_\d+)_random_sample_(?P<draw>\d+)",
        r"(?P<rq>)(?P<subset>BASELINE_[A-Z_]+?)(?:_random_sample_(?P<draw>\d+))?",
    )
]
_SUBSETS = {"RQ1": _TERTILE, "RQ2": r"ALG_\d+_PRAC_\d+", "RQ3": _TERTILE, "RQ4": r"CODE_\d+(?:_(?:GENERAL|MATH)_\d+)?"}
QUESTIONS = tuple(_SUBSETS)


def safe_name(name: str) -> str:
    """The name with only such characters that LLaMA-Factory takes it for one data set and any disk for a folder."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", name)


def is_subset(rq: str, name: str) -> bool:
    """Whether subsets of the question `rq` are called like that: T1_LOWER in RQ1 and RQ3, CODE_100 in RQ4."""
    return rq in _SUBSETS and re.fullmatch(_SUBSETS[rq], name) is not None


def parsed_stem(stem: str) -> tuple[str, str, int | None] | None:
    """(question, subset, draw) of a data file's name without its ending; None where it is none of the study's.

    parsed_stem("RQ2_COMPOSITION_ALG_20_PRAC_80_repeat1") is ("RQ2", "ALG_20_PRAC_80", 1). A baseline is a subset of no question:
    parsed_stem("BASELINE_RANDOM_random_sample_2") is ("", "BASELINE_RANDOM", 2).
    """
    for pattern in STUDY_FILES:
        if found := pattern.fullmatch(stem):
            named = found.groupdict()
            return named["rq"], named["subset"], int(named["draw"]) if named.get("draw") else None
    return None
