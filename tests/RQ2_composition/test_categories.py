import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from RQ2_composition.categories import ALGORITHMIC, CATEGORIES, TEMPERATURE, assign, described, task_type

Vectors = NDArray[np.float32]

ALGORITHMIC_TASKS = (
    "Write a Python function that moves all zeros of a list to its end.",
    "Given the head of a linked list, tell whether it has a cycle.",
    "Sort a string by the frequency of its letters in Java.",
    "Find the k-th largest element of an unsorted array of integers.",
    "You are given a maze as a grid of characters. Return the fewest steps from the top left to the exit, or -1.",
    "Count the binary trees with n nodes, using dynamic programming.",
    "Print all prime numbers between two given numbers.",
    "Write a function that returns the sum of the digits of an integer.",
    "Compute the cube root of a real number by bisection.",
    "Write a C program that multiplies two 3x3 matrices.",
)
PRACTICAL_TASKS = (
    "Write a SQL query that lists the customers without orders in 2023.",
    "Create an HTML page with a table of contents and style its links with CSS.",
    "My Express route answers with 404 after I added a router. What is wrong?",
    "Train a logistic regression classifier with scikit-learn and print its accuracy.",
    "Design the classes of a car rental company, with an interface for payment methods.",
    "Build an Android app with a list of contacts and a search field.",
    "This Python script takes two hours for ten million rows. How can I make it faster?",
    "Encrypt a message with a password and decrypt it again in Node.js.",
    "Blink an LED twice a second on an Arduino without using delay.",
    "Write a Dockerfile for a Go service, and a compose file that starts it with Redis.",
)


def unit(rows: list[list[float]]) -> Vectors:
    array = np.array(rows, dtype=np.float32)
    result: Vectors = array / np.linalg.norm(array, axis=1, keepdims=True)
    return result


def random_units(seed: int, count: int, dimension: int = 8) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, dimension)).tolist())


def test_the_ten_categories_and_their_types() -> None:
    assert len(set(CATEGORIES)) == 10
    assert ALGORITHMIC == ("Algorithmic & Data Structure", "Mathematical & Computational")
    assert [task_type(name) for name in CATEGORIES] == ["algorithmic"] * 2 + ["practical"] * 8
    with pytest.raises(ValueError, match="is no category"):
        task_type("Cooking")


def test_every_category_is_described_and_no_text_stands_twice() -> None:
    assert tuple(described()) == CATEGORIES
    assert all(len(texts) >= 20 for texts in described().values())
    texts = [text.casefold().strip(" .") for category in described().values() for text in category]
    assert len(set(texts)) == len(texts)
    assert all(texts)


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_one_prototype_each_is_the_highest_cosine(seed: int, categories: int) -> None:
    tasks, prototypes = random_units(seed, 9), random_units(seed + 1, categories)
    cosines = tasks @ prototypes.T
    result = assign(tasks, prototypes, np.arange(categories))
    assert (result.category == cosines.argmax(axis=1)).all()
    assert (result.similarity == cosines.max(axis=1)).all()
    ordered = np.sort(cosines, axis=1)
    second = ordered[:, -2] if categories > 1 else ordered[:, -1]
    assert np.allclose(result.margin, ordered[:, -1] - second)


def test_several_prototypes_are_pooled_as_the_formula_says() -> None:
    tasks, prototypes = unit([[1, 0.2, 0]]), unit([[1, 0, 0], [0, 1, 0], [0.6, 0.5, 0.2]])
    a, b, c = (tasks @ prototypes.T)[0].tolist()
    weights = np.exp(np.array([a, b]) / TEMPERATURE)
    pooled = float(weights @ np.array([a, b]) / weights.sum())
    result = assign(tasks, prototypes, np.array([0, 0, 1]))
    assert result.category.tolist() == [0 if pooled > c else 1]
    assert result.similarity[0] == pytest.approx(max(pooled, c), abs=1e-6)
    assert result.margin[0] == pytest.approx(abs(pooled - c), abs=1e-6)


def test_a_category_gains_nothing_by_repeating_its_prototypes() -> None:
    tasks, prototypes = random_units(1, 20), random_units(2, 3)
    once = assign(tasks, prototypes, np.array([0, 1, 2]))
    often = assign(tasks, prototypes[[0, 1, 1, 1, 1, 2]], np.array([0, 1, 1, 1, 1, 2]))
    assert (once.category == often.category).all()
    assert np.allclose(once.similarity, often.similarity, atol=1e-6)


def test_among_equals_the_first_category_wins() -> None:
    result = assign(unit([[1, 1], [1, -1]]), unit([[1, 0], [0, 1], [1, 0]]), np.array([0, 1, 2]))
    assert result.category.tolist() == [0, 0]
    assert result.margin.tolist() == [0, 0]


@given(st.integers(0, 10_000))
def test_a_row_depends_on_no_other_row(seed: int) -> None:
    tasks, prototypes, owner = random_units(seed, 12), random_units(seed + 1, 7), np.array([0, 1, 1, 2, 0, 2, 2])
    together = assign(tasks, prototypes, owner)
    for rows in (slice(0, 1), slice(5, 9), slice(None, None, -1)):
        some = assign(tasks[rows], prototypes, owner)
        assert np.allclose(some.similarity, together.similarity[rows], atol=1e-6)
        assert np.allclose(some.margin, together.margin[rows], atol=1e-6)
        clear = together.margin[rows] > 1e-5
        assert (some.category == together.category[rows])[clear].all()


def test_no_tasks_and_a_missing_category() -> None:
    prototypes = random_units(3, 2)
    assert assign(np.empty((0, 8), dtype=np.float32), prototypes, np.array([0, 1])).category.shape == (0,)
    with pytest.raises(ValueError, match="a category without prototypes"):
        assign(random_units(4, 1), prototypes, np.array([0, 2]))


def test_plain_tasks_get_the_right_type() -> None:
    from seedkit.embed import MiniLM

    encoder = MiniLM()
    prototypes = encoder([text for texts in described().values() for text in texts])
    owner = np.repeat(np.arange(len(CATEGORIES)), [len(texts) for texts in described().values()])
    for expected, tasks in (("algorithmic", ALGORITHMIC_TASKS), ("practical", PRACTICAL_TASKS)):
        found = [task_type(CATEGORIES[index]) for index in assign(encoder(tasks), prototypes, owner).category]
        assert found.count(expected) >= 0.8 * len(tasks), list(zip(tasks, found, strict=True))
