/*
 * Date as we write it.
 */
#include "sip/date.h"

#include <time.h>

static void
put_digits(char *to, int n, int digits)
{
    for (; digits > 0; n /= 10)
        to[--digits] = (char)('0' + n % 10);
}

/* SIP-date (RFC 3261 §25.1): names of RFC 1123 whatever the locale, always GMT. */
static void
date_write(const struct tm *tm, char to[DATE_BYTES])
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    memcpy(to, "Date: Sun, 00 Jan 0000 00:00:00 GMT\r\n", DATE_BYTES);
    to += SPAN("Date: ").len;
    memcpy(to, days + 3 * tm->tm_wday, 3);
    put_digits(to + 5, tm->tm_mday, 2);
    memcpy(to + 8, months + 3 * tm->tm_mon, 3);
    put_digits(to + 12, tm->tm_year + 1900, 4);
    put_digits(to + 17, tm->tm_hour, 2);
    put_digits(to + 20, tm->tm_min, 2);
    put_digits(to + 23, tm->tm_sec, 2);
}

struct span
date_line(struct date *date, int64_t wall_s)
{
    time_t now = (time_t)wall_s;
    struct tm tm;

    if (date->len == 0 || date->wall_s != wall_s) {
        bool made = gmtime_r(&now, &tm) && tm.tm_year >= -1900 && tm.tm_year < 10000 - 1900;

        date->wall_s = wall_s;
        date->len = made ? DATE_BYTES : 0;
        if (made)
            date_write(&tm, date->text);
    }
    return (struct span){ date->text, date->len };
}
