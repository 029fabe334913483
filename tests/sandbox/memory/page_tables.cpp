// Maps 820 GB and reads a byte of every 2 MB: the page tables of that take 1.6 GB, and nothing of it is resident.
#include <cstdio>
#include <sys/mman.h>
#include <sys/resource.h>

int main() {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
    const size_t size = 820ull << 30;
    void *all = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return 1;
    madvise(all, size, MADV_NOHUGEPAGE);
    long sum = 0;
    for (size_t at = 0; at < size; at += 2 << 20) sum += static_cast<volatile char *>(all)[at];
    puts("\nNONCE-1");
    return sum;
}
