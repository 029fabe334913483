# The number after n.
def next_number(n)

# === reference ===
  n + 1
end

# === tests ===
require 'test/unit'
class TestHumanEval < Test::Unit::TestCase
  def test_next_number
    candidate = method(:next_number)
    assert_equal(2, candidate.call(1))
    assert_equal(-4, candidate.call(-5))
    assert_equal(100, candidate.call(99))
  end
end

# === end ===
