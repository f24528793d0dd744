/*
 * Mapped pages whose file was cut short: zeros, counted, and no end of the process.
 */
#include "base/fault.h"

#include <check.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/must.h"

static size_t page;

/* Two pages of 'x', the second of which is cut off. */
static char *
map_and_cut(int how)
{
    int fd = memfd_create("cut", MFD_CLOEXEC);
    char *at;

    page = (size_t)sysconf(_SC_PAGESIZE);
    must(fd >= 0 && ftruncate(fd, (off_t)(2 * page)) == 0);
    at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, how, fd, 0);
    must(at != MAP_FAILED);
    if (how == MAP_SHARED)
        memset(at, 'x', 2 * page);
    must(ftruncate(fd, (off_t)page) == 0);
    close(fd);
    return at;
}

START_TEST(what_is_cut_off_is_zeros)
{
    char *at = map_and_cut(MAP_SHARED);
    uint64_t before = fault_count();

    fault_catch();
    must(at[page + 7] == 0);
    must(fault_count() == before + 1);
    at[page + 7] = 'y';
    must(at[page + 7] == 'y' && at[page] == 0 && at[page - 1] == 'x');
    must(fault_count() == before + 1);
    munmap(at, 2 * page);
}
END_TEST

/* What it was for is not known to be harmless. */
START_TEST(a_page_that_nobody_shares_is_the_end)
{
    const struct rlimit none = { 0, 0 };
    int status;
    pid_t child = fork();

    must(child >= 0);
    if (child == 0) {
        char *at = map_and_cut(MAP_PRIVATE);

        setrlimit(RLIMIT_CORE, &none);
        fault_catch();
        _exit(at[page]);
    }
    must(waitpid(child, &status, 0) == child);
    must(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}
END_TEST

START_TEST(a_signal_by_hand_is_the_end)
{
    int status;
    pid_t child = fork();

    must(child >= 0);
    if (child == 0) {
        const struct rlimit none = { 0, 0 };

        setrlimit(RLIMIT_CORE, &none);
        fault_catch();
        raise(SIGBUS);
        _exit(0);
    }
    must(waitpid(child, &status, 0) == child);
    must(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}
END_TEST

/* Two threads have come upon the same page, and this is the later one's signal. */
START_TEST(who_comes_too_late_goes_on)
{
    char *at = map_and_cut(MAP_SHARED);
    uint64_t before = fault_count();
    siginfo_t late = { .si_code = BUS_ADRERR };
    struct sigaction now;

    fault_catch();
    must(at[page] == 0);
    late.si_addr = at + page;
    must(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &late) == 0);
    must(fault_count() == before + 1);
    must(sigaction(SIGBUS, NULL, &now) == 0 && now.sa_handler != SIG_DFL);
    munmap(at, 2 * page);
}
END_TEST

Suite *suite_fault(void);

Suite *
suite_fault(void)
{
    Suite *suite = suite_create("fault");
    TCase *tcase = tcase_create("fault");

    tcase_add_test(tcase, what_is_cut_off_is_zeros);
    tcase_add_test(tcase, who_comes_too_late_goes_on);
    tcase_add_test(tcase, a_page_that_nobody_shares_is_the_end);
    tcase_add_test(tcase, a_signal_by_hand_is_the_end);
    suite_add_tcase(suite, tcase);
    return suite;
}
