// 34 processes, each with 100 pairs of sockets that are full of what nobody reads: 1.5 GB of the kernel's memory.
#include <cstdio>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main() {
    static char some[65536];
    for (int number = 0; number < 34; number++) {
        if (fork()) continue;
        for (int pair = 0; pair < 100; pair++) {
            int ends[2];
            if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return 1;
            for (int end : ends) {
                fcntl(end, F_SETFL, O_NONBLOCK);
                while (write(end, some, sizeof some) > 0) {}
            }
        }
        sleep(3);
        return 0;
    }
    int status, wrong = 0;
    while (wait(&status) > 0) wrong += status != 0;
    if (wrong) return 1;
    puts("\nNONCE-1");
}
