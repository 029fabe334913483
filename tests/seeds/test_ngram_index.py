"""Texts as n-grams: tokens, names renamed, the ends of texts."""

from seeds.ngram_index import TOKEN, Grams, Streams, Vocabulary, lowered


def test_tokens_ignore_white_space_quotes_comment_marks_and_case() -> None:
    def tokens(text: str) -> list[str]:
        return TOKEN.findall(lowered(text))

    assert (
        tokens("if  x==1:\n\t# It's “so”")
        == tokens("IF x == 1 -- it s 'so'")
        == ["if", "x", "=", "=", "1", "it", "s", "so"]
    )
    assert tokens('"""Sum of 1.5"""') == tokens("'''sum\nof\n1.5'''")
    assert len(lowered("İx")) == 2  # whose lower case is longer: positions in it are positions in the text


def test_renamed_stream_knows_where_a_name_was_used_last() -> None:
    vocabulary = Vocabulary()
    streams = Streams.of(["for a in b: a += b", "for x in y: x += y", "for x in y: y += x", "x in y"], vocabulary)
    one, two, three = (
        streams.renamed[start:end].tolist() for start, end in zip(streams.ends[:3], streams.ends[1:4], strict=True)
    )
    assert one == two != three
    assert streams.plain[:8].tolist() != streams.plain[8:16].tolist()
    assert streams.renamed[streams.ends[3]] == streams.renamed[1]  # first used, whatever stands in the text before
    vocabulary.forget(2)
    assert len(vocabulary) == len(vocabulary.name) == 2


def test_n_grams_do_not_reach_over_the_end_of_a_text() -> None:
    streams = Streams.of(["a b c", "", "d e f g"], Vocabulary())
    hashes, valid = streams.grams(3)
    assert valid.tolist() == [True, False, False, True, True]
    positions, columns = Grams(hashes[valid]).find(hashes, valid)
    assert positions.tolist() == [0, 3, 4] and sorted(columns.tolist()) == [0, 1, 2]
    assert Streams.of(["a"], Vocabulary()).grams(5)[0].tolist() == []
