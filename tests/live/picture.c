/*
 * A ladder taken apart.
 */
#include "live/picture.h"

#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = 1 << 20 };

/* A word of lines and arrowheads only, in ASCII or UTF-8 (U+2500 … U+25FF). */
static bool
is_drawn(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr("-|<>", word[i]) && word[i] != '\xe2' && !((unsigned char)word[i] >= 0x80))
            return false;
    return len > 0;
}

/* "Proxy…", "Prox.." */
static bool
is_cut(const char *word, size_t len)
{
    return (len >= 3 && memcmp(word + len - 3, "\xe2\x80\xa6", 3) == 0) ||
           (len >= 2 && memcmp(word + len - 2, "..", 2) == 0);
}

static size_t
put_word(char *to, const char *word, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        to[n++] = word[i];
        if (word[i] != ':' || !isdigit((unsigned char)word[i + 1]))
            continue;
        while (i + 1 < len && isdigit((unsigned char)word[i + 1]))
            i++;
        to[n++] = 'N';
    }
    to[n++] = ' ';
    return n;
}

/* The words of a line; false: the last of them was cut. */
static bool
put_line(const char *line, size_t len, char *to, size_t *n)
{
    for (size_t i = 0; i < len;) {
        size_t word = strcspn(line + i, " \n");

        if (word > len - i)
            word = len - i;
        if (is_cut(line + i, word))
            return false;
        if (word > 0 && !is_drawn(line + i, word))
            *n += put_word(to + *n, line + i, word);
        i += word + 1;
    }
    return true;
}

char *
picture_sayings(const char *ladder)
{
    char *sayings = calloc(1, 2 * strlen(ladder) + 16);
    bool within = false;
    size_t n = 0;

    ck_assert_ptr_nonnull(sayings);
    for (const char *line = ladder; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len = strcspn(line, "\n"), blanks = strspn(line, " ");
        const char *call = memmem(line, len, " #1 ", 4);

        if (within && (call || blanks == len))
            sayings[n++] = '\n';
        within = call || (within && blanks < len);
        if (call)
            (void)put_line(call + 4, len - (size_t)(call + 4 - line), sayings, &n);
        else if (within)
            (void)put_line(line, len, sayings, &n);
    }
    if (within)
        sayings[n++] = '\n';
    return sayings;
}

char *
picture_of_page(const char *path)
{
    static const char begin[] = "<!-- picture -->", end[] = "```\n<!-- end -->";
    char *page = calloc(1, PAGE_BYTES), *from, *to;
    FILE *file = fopen(path, "r");

    ck_assert_msg(page && file, "%s: tests run from the top of the tree", path);
    page[fread(page, 1, PAGE_BYTES - 1, file)] = '\0';
    fclose(file);
    from = strstr(page, begin);
    to = from ? strstr(from, end) : NULL;
    ck_assert_msg(to != NULL, "%s: there is no picture in it", path);
    memmove(page, from, (size_t)(to - from));
    page[to - from] = '\0';
    return page;
}
