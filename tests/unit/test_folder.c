/*
 * Folders of tests: whose owner is gone is swept, whose owner lives is not.
 */
#include "lib/folder.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/text.h"

/* Made by a process that ends without a word, with a folder and a file in it. */
static void
make_orphan(char path[FOLDER_BYTES])
{
    char inner[FOLDER_BYTES + 8];
    int ends[2], status;
    pid_t child;

    must(pipe(ends) == 0);
    child = fork();
    must(child >= 0);
    if (child == 0) {
        if (!folder_make("orphan", path) || write(ends[1], path, FOLDER_BYTES) != FOLDER_BYTES)
            _exit(1);
        snprintf(inner, sizeof inner, "%s/file", path);
        _exit(fclose(fopen(inner, "w")) != 0);
    }
    must(waitpid(child, &status, 0) == child && status == 0);
    must(read(ends[0], path, FOLDER_BYTES) == FOLDER_BYTES);
    close(ends[0]);
    close(ends[1]);
}

START_TEST(what_nobody_holds_is_swept)
{
    char orphan[FOLDER_BYTES], mine[FOLDER_BYTES], next[FOLDER_BYTES];

    must(folder_make("mine", mine));
    make_orphan(orphan);
    must(folder_make("next", next));
    must(access(orphan, F_OK) != 0);
    must(access(mine, F_OK) == 0 && strcmp(mine, next) != 0);
    folder_remove(mine);
    folder_remove(next);
    must(access(mine, F_OK) != 0 && access(next, F_OK) != 0);
}
END_TEST

Suite *
suite_folder(void)
{
    Suite *suite = suite_create("folder");
    TCase *all = tcase_create("all");

    tcase_add_test(all, what_nobody_holds_is_swept);
    suite_add_tcase(suite, all);
    return suite;
}
