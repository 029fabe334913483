-- The number after n.
local function next_number(n)

-- === reference ===
  return n + 1
end

-- === tests ===
lu = require('luaunit')

function test_humaneval()
local candidate = next_number
    lu.assertEquals(candidate(1), 2)
    lu.assertEquals(candidate(-5), -4)
    lu.assertEquals(candidate(99), 100)
end

os.exit(lu.LuaUnit.run())
-- === end ===
