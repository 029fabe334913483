package next_number_test

import (
    "testing"
    "fmt"
)

// The number after n.
func next_number(n int) int {

// === reference ===
	return n + 1
}

// === tests ===
func TestNext_Number(t *testing.T) {
  candidate := next_number
	type test struct {
		actual   interface{}
		expected interface{}
	}
   tests := []test{
     { actual: candidate(1), expected: 2 },
     { actual: candidate(-5), expected: -4 },
     { actual: candidate(99), expected: 100 },
   }

	for i, tc := range tests {
		t.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {
			if fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {
				t.Errorf("expected '%s', got '%s'", tc.expected, tc.actual)
			}
		})
	}
}

// === end ===
