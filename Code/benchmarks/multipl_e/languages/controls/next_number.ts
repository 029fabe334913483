// The number after n.
function next_number(n: number): number {

// === reference ===
  return n + 1;
}

// === tests ===
declare var require: any;
const assert = require('node:assert');


function test() {
  let candidate = next_number;
  assert.deepEqual(candidate(1),2);
  assert.deepEqual(candidate(-5),-4);
  assert.deepEqual(candidate(99),100);
}

test();
// === end ===
