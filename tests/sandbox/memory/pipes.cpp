// 200 processes, each with 200 pipes that are full of what nobody reads: half a GiB of the kernel's memory.
#include <fcntl.h>
#include <cstdio>
#include <sys/wait.h>
#include <unistd.h>

int main() {
    static char some[65536];
    for (int number = 0; number < 200; number++) {
        if (fork()) continue;
        for (int pair = 0; pair < 200; pair++) {
            int ends[2];
            if (pipe(ends)) return 1;
            fcntl(ends[1], F_SETFL, O_NONBLOCK);
            while (write(ends[1], some, sizeof some) > 0 || write(ends[1], some, 4096) > 0) {}
        }
        return 0;
    }
    int status, wrong = 0;
    while (wait(&status) > 0) wrong += status != 0;
    if (wrong) return 1;
    puts("\nNONCE-1");
}
