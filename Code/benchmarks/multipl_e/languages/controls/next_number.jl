"""The number after n."""
function next_number(n::Int64)::Int64 

# === reference ===
    n + 1
end

# === tests ===
using Test

@testset begin

candidate = next_number;
	@test(candidate(1) == 2)
end

# === end ===
